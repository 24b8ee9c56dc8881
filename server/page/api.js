// Talking to the server: versions (ETag), problems in words, and patience while it restarts.

const offline = document.getElementById('offline');
const versions = new Map();
const PATIENCE_MS = 60000;

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = body.code || 'unknown';
    this.hint = body.hint || '';
    this.backups = body.backups || [];
  }
}

export class Unreachable extends Error {}

export function describe(problem) {
  if (problem instanceof Unreachable) return 'The server does not answer. It may be restarting.';
  if (!(problem instanceof Problem)) return String(problem.message || problem);
  const backups = problem.backups.length ? ` Newest backup: ${problem.backups[0]}` : '';
  return `${problem.message} ${problem.hint}`.trim() + backups;
}

export function message(text) {
  offline.textContent = text || '';
  offline.hidden = !text;
}

/** A GET whose answer is kept until the server says that it has changed. */
export async function api(address) {
  const known = versions.get(address);
  const answer = await send(address, { headers: known ? { 'If-None-Match': known.etag } : {}, cache: 'no-store' });
  if (answer.status === 304) return known.body;
  const body = await read(answer);
  const etag = answer.headers.get('ETag');
  if (etag) versions.set(address, { etag, body });
  return body;
}

async function post(address, body, method = 'POST') {
  const key = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
      return await read(await send(address, { method, headers, body: body ? JSON.stringify(body) : undefined }));
    } catch (problem) {
      // The same key: if the first request did arrive, its answer comes again and nothing is made twice.
      const restarting = problem instanceof Unreachable || problem.code === 'shutting_down';
      if (!restarting || Date.now() > until) throw problem;
      message('The server does not answer. Trying again…');
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

export async function create(story, aspect, choices) {
  const project = await post('/api/projects', { story, aspect_ratio: aspect, ...choices });
  await post(`/api/projects/${project.id}/yolo`);
  return project.id;
}

export function command(address, what) {
  if (what === 'delete') return post(address, null, 'DELETE');
  return post(what === 'start' ? `${address}/yolo` : `${address}/yolo/${what}`);
}

/** Each of the three is asked once: a login is not tried again by itself. */
export async function session() { return read(await send('/api/session', { cache: 'no-store' })); }
export async function enter(passphrase) { return read(await send('/api/login', said({ passphrase }))); }
export async function exit() { return read(await send('/api/logout', said({}))); }

function said(body) {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

async function send(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Unreachable();
  }
  message('');
  return answer;
}

async function read(answer) {
  if (answer.status === 204) return null;
  let body = {};
  try { body = await answer.json(); } catch { /* an answer that is not ours, e.g. a proxy's error page */ }
  if (answer.ok) return body;
  const problem = new Problem(answer.status, body);
  if (problem.code === 'login_required') window.dispatchEvent(new Event('login-required'));
  throw problem;
}
