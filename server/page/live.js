// Keeps a view up to date: the event stream says when to look again, and without a stream it looks every three seconds.
import { describe, message, Problem } from './api.js';

const POLL_MS = 3000;
const SETTLE_MS = 700;
const SLOW_MS = 15000;

/** Calls `refresh` now and whenever something happens; returns how to stop. `gone(problem)` may end it. */
export function live(stream, refresh, gone = () => false) {
  let stopped = false;
  let timer = 0;
  let busy = false;
  let again = false;
  let near = false;
  let source = null;
  let failures = 0;

  async function look() {
    clearTimeout(timer);
    near = false;
    if (stopped) return;
    if (busy) { again = true; return; }
    busy = true;
    try {
      await refresh();
      if (failures) message('');
      failures = 0;
      listen();
    } catch (problem) {
      if (stopped) return;
      if (gone(problem)) { stop(); return; }
      failures += 1;
      message(problem instanceof Problem ? describe(problem) : 'The server does not answer. Trying again…');
      if (!(problem instanceof Problem)) console.warn(problem);
    } finally {
      busy = false;
    }
    if (stopped) return;
    const streaming = source && source.readyState === EventSource.OPEN && !failures;
    near = again;
    timer = setTimeout(look, again ? SETTLE_MS : streaming ? SLOW_MS : POLL_MS);
    again = false;
  }

  function listen() {
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource(stream);
    source.onmessage = soon;
    source.onerror = soon;
  }

  // A look that is already near stays where it is: pushed back by each event, it would not come while they come quickly.
  function soon() {
    if (busy) { again = true; return; }
    if (near) return;
    near = true;
    clearTimeout(timer);
    timer = setTimeout(look, SETTLE_MS);
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    if (source) source.close();
    document.removeEventListener('visibilitychange', look);
  }

  document.addEventListener('visibilitychange', look);
  look();
  return stop;
}
