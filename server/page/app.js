// The page: which view the address asks for, and what it shows. Talking to the server is in api.js.
import { api, command, create, describe, message } from './api.js';
import { live } from './live.js';
import { ask, greet } from './login.js';

const STEPS = {
  story: 'Story', analysis: 'Reading the story', voices: 'Voices', script: 'Script', audio: 'Narration', scenes: 'Scenes',
  shots: 'Shots', refs: 'Cast and places', frames: 'Pictures', videos: 'Clips', lipsync: 'Lips', export: 'Putting it together',
};
const STATES = {
  idle: 'Not made yet', running: 'Being made', paused: 'Paused', cancelled: 'Cancelled', failed: 'Could not be finished', done: 'Ready',
};
const DRAFT = 'video-story:draft';
const view = document.getElementById('view');
let leave = () => {};

function open(name) {
  leave();
  leave = () => {};
  view.replaceChildren(document.getElementById(name).content.cloneNode(true));
  return (id) => view.querySelector(`#${id}`);
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function tell(place, text) {
  place.textContent = text || '';
  place.hidden = !text;
}

// --- Home ---------------------------------------------------------------------------------------

function home() {
  const at = open('home');
  document.title = 'Video Story';
  const form = view.querySelector('form');
  const story = at('story');
  story.value = remembered();
  count();

  function count() {
    const words = (story.value.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu) || []).length;
    const minutes = words / 150;
    const length = minutes < 1 ? `${Math.max(1, Math.round(minutes * 60))} seconds` : `${Math.round(minutes)} min`;
    at('count').textContent = words ? `${words.toLocaleString()} ${words === 1 ? 'word' : 'words'}, about ${length} of film` : 'No words yet';
  }

  story.addEventListener('input', () => {
    count();
    remember(story.value);
    tell(at('story-problem'), '');
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button[type=submit]');
    button.disabled = true;
    tell(at('story-problem'), '');
    try {
      const id = await create(story.value, form.elements.aspect.value, choices(form.elements));
      remember('');
      location.hash = `#/film/${id}`;
    } catch (problem) {
      if (asking) return; // the form to log in has taken the view; the draft is kept
      tell(at('story-problem'), describe(problem));
      story.focus();
    } finally {
      button.disabled = false;
    }
  });
  films(at);
}

function choices(chosen) {
  return {
    captions: chosen.captions.checked ? 'burned' : 'track',
    title_card: chosen.title_card.checked,
    end_card: chosen.end_card.checked,
    fades: chosen.fades.checked,
    quality: chosen.draft.checked ? 'draft' : 'full',
    sound_bed: chosen.music.checked ? 'auto' : 'off',
  };
}

function films(at) {
  const cards = new Map();
  let older = [];
  let next = null;
  let first = true;

  function show(items) {
    at('no-films').hidden = items.length > 0;
    for (const [id, card] of cards) if (!items.some((item) => item.id === id)) { card.remove(); cards.delete(id); }
    items.forEach((item, place) => {
      if (!cards.has(item.id)) cards.set(item.id, filmCard(item));
      const card = cards.get(item.id);
      updateCard(card, item);
      if (at('films').children[place] !== card) at('films').insertBefore(card, at('films').children[place] || null);
    });
  }

  async function refresh() {
    const page = await api('/api/projects?limit=24');
    if (first || !older.length) next = page.next;
    first = false;
    const fresh = new Set(page.items.map((item) => item.id));
    show([...page.items, ...older.filter((item) => !fresh.has(item.id))]);
    at('more').hidden = !next;
  }

  at('more').addEventListener('click', async () => {
    try {
      const page = await api(`/api/projects?limit=24&cursor=${next}`);
      older = [...older, ...page.items];
      next = page.next;
      await refresh();
    } catch (problem) { message(describe(problem)); }
  });
  leave = live('/api/events', refresh);
}

function filmCard(item) {
  const card = element('li');
  const link = element('a');
  link.href = `#/film/${item.id}`;
  const thumb = element('span', 'thumb');
  thumb.append(element('span', 'letter', [...(item.title || '?')][0]), element('progress'));
  thumb.querySelector('progress').max = 100;
  link.append(thumb, element('span', 'name'), element('span', 'state'));
  card.append(link);
  return card;
}

function updateCard(card, item) {
  const thumb = card.querySelector('.thumb');
  let picture = thumb.querySelector('img');
  if (item.poster_url && !picture) {
    picture = element('img');
    picture.alt = '';
    picture.loading = 'lazy';
    thumb.querySelector('.letter').replaceWith(picture);
  }
  if (picture && picture.getAttribute('src') !== item.poster_url) picture.src = item.poster_url;
  const bar = thumb.querySelector('progress');
  bar.hidden = !['running', 'paused'].includes(item.state);
  bar.value = item.percent;
  card.querySelector('.name').textContent = item.title;
  const state = card.querySelector('.state');
  const length = item.narration_ms && item.state === 'done' ? `, ${lengthWords(item.narration_ms / 1000)}` : '';
  state.className = `state ${item.state}`;
  state.textContent = item.state === 'running' ? `${STATES.running}, ${item.percent} %` : `${STATES[item.state]}${length}`;
}

// --- One film -------------------------------------------------------------------------------------

function film(id) {
  const at = open('film');
  const address = `/api/projects/${id}`;
  let project = null;
  let drawn = 0;
  let newest = '';

  async function refresh() {
    const status = await api(`${address}/yolo-status`);
    const finishedNow = status.state === 'done' && project && project.state !== 'done';
    const needsPoster = project && !project.poster_url;
    if (!project || finishedNow || needsPoster || project.state !== status.state) project = await api(address);
    if (!project.poster_url && status.stages.frames.done > drawn) {
      drawn = status.stages.frames.done;
      newest = await newestPicture(address);
    }
    showProject(at, project, address);
    showStatus(at, project, status, newest);
    tell(at('ending'), await ending(status));
  }

  // Why a film stopped by itself; one that was paused or cancelled by hand has no code.
  async function ending(status) {
    if (!status.code) return '';
    const { items } = await api(`${address}/events?kind=run`);
    return items.length ? items[items.length - 1].text : '';
  }

  view.addEventListener('click', act);
  async function act(event) {
    const what = event.target.closest('[data-do]')?.dataset.do;
    if (!what) return;
    if (what === 'delete' && !confirm('Delete this film? This cannot be undone.')) return;
    if (what === 'cancel' && !confirm('Stop making this film? What is done is kept.')) return;
    const button = event.target.closest('[data-do]');
    button.disabled = true;
    tell(at('action-problem'), '');
    try {
      await command(address, what);
      if (what === 'delete') { location.hash = '#/'; return; }
      await refresh();
    } catch (problem) {
      if (at('action-problem')) tell(at('action-problem'), describe(problem));
    } finally {
      button.disabled = false;
    }
  }

  const stop = live(`${address}/events`, refresh, (problem) => {
    if (problem.status !== 404) return false;
    view.replaceChildren(element('p', 'card', 'There is no such film. It may have been deleted.'));
    return true;
  });
  leave = () => { stop(); view.removeEventListener('click', act); };
}

async function newestPicture(address) {
  const { items } = await api(`${address}/shots`);
  const pictures = items.map((shot) => shot.first_frame_url).filter(Boolean);
  return pictures.length ? pictures[pictures.length - 1] : '';
}

function showProject(at, project, address) {
  document.title = `${project.title} · Video Story`;
  at('title').textContent = project.title;
  at('text').textContent = project.story;
  at('screen').dataset.aspect = project.aspect_ratio;
  const player = at('player');
  if (project.film_url && player.getAttribute('src') !== project.film_url) {
    const captions = element('track');
    Object.assign(captions, { kind: 'captions', label: 'Captions', srclang: project.language || 'en', src: `${address}/captions.vtt` });
    player.replaceChildren(captions);
    player.poster = project.poster_url || '';
    player.src = project.film_url;
  }
  at('download').href = `${address}/download-video`;
  at('subtitles').href = `${address}/captions.srt`;
}

function showStatus(at, project, status, newest) {
  const { state } = status;
  const ready = Boolean(project.film_url) && state !== 'running';
  at('player').hidden = !ready;
  const poster = at('poster');
  const picture = project.poster_url || newest;
  if (picture && poster.getAttribute('src') !== picture) poster.src = picture;
  poster.hidden = ready || !picture;
  at('veil').hidden = ready;
  at('percent').textContent = state === 'idle' ? '' : `${status.percent} %`;
  at('veil-note').textContent = state === 'running' ? etaWords(status.etaSeconds) : STATES[state];
  at('bar').hidden = state === 'done' || state === 'idle';
  at('bar').value = status.percent;
  at('now').textContent = nowWords(project, status);
  const incomplete = state === 'done' && Object.values(status.stages).some((stage) => stage.failed);
  const shown = {
    start: ['idle', 'cancelled', 'failed'].includes(state) || incomplete, resume: state === 'paused',
    pause: state === 'running', cancel: state === 'running' || state === 'paused',
  };
  for (const [what, visible] of Object.entries(shown)) view.querySelector(`[data-do=${what}]`).hidden = !visible;
  at('download').hidden = !ready;
  at('subtitles').hidden = !ready;
  view.querySelector('[data-do=start]').textContent = { idle: 'Make the film', done: 'Make what is missing' }[state] || 'Try again';
  at('steps').replaceChildren(...Object.entries(status.stages).map(([name, stage]) => step(name, stage, state)));
  showProblems(at, status);
  showLog(at('log'), status.logs);
}

function showProblems(at, { problems, state }) {
  const box = at('problems');
  const said = problems.map((problem) => problem.text).join('\n');
  if (box.dataset.said === said) return;
  box.dataset.said = said;
  box.hidden = !problems.length;
  box.className = `problems ${state === 'done' ? 'note' : ''}`;
  box.open = state !== 'done' || problems.length <= 2;
  at('problems-title').textContent = problems.length === 1 ? 'One thing to know' : `${problems.length} things to know`;
  box.querySelector('ul').replaceChildren(...problems.map((problem) => element('li', '', problem.text)));
}

function nowWords(project, status) {
  if (status.state === 'done') return `Ready${project.narration_ms ? `, ${lengthWords(project.narration_ms / 1000)}` : ''}.`;
  if (status.state !== 'running') return `${STATES[status.state]}.`;
  return `${STEPS[status.yoloStep] || status.yoloStep}…`;
}

function step(name, stage, state) {
  const complete = stage.total > 0 && stage.done + stage.failed >= stage.total;
  const busy = state === 'running' && !complete && (stage.running > 0 || stage.done > 0);
  const line = element('li', stage.failed ? 'failed' : complete ? 'done' : busy ? 'busy' : '');
  line.append(element('span', '', STEPS[name] || name));
  const failed = stage.failed ? `, ${stage.failed} failed` : '';
  line.append(element('span', 'count', stage.total > 1 || failed ? `${stage.done} / ${stage.total}${failed}` : ''));
  return line;
}

function showLog(list, lines) {
  const newest = lines.length ? lines[lines.length - 1].seq : 0;
  list.closest('section').hidden = !lines.length;
  if (list.dataset.newest === String(newest)) return;
  list.dataset.newest = newest;
  list.replaceChildren(...lines.slice().reverse().map((line) => {
    const entry = element('li', line.level);
    const time = element('time', '', new Date(line.at).toTimeString().slice(0, 8));
    time.dateTime = line.at;
    entry.append(time, element('span', '', line.text));
    return entry;
  }));
}

function etaWords(seconds) {
  if (!seconds) return 'a moment…';
  return seconds < 60 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`;
}

function lengthWords(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// --- The draft, and the address ---------------------------------------------------------------------

function remembered() {
  try { return localStorage.getItem(DRAFT) || ''; } catch { return ''; }
}

function remember(text) {
  try { localStorage.setItem(DRAFT, text); } catch { /* private windows and huge drafts: nothing is kept */ }
}

function route() {
  const found = location.hash.match(/^#\/film\/(\d+)$/);
  if (found) film(Number(found[1])); else home();
  window.scrollTo(0, 0);
}

// Whatever was on the screen asks the server anew once the login is done; a story that was being written is kept.
let asking = false;
function login() {
  if (asking) return;
  asking = true;
  leave();
  leave = () => {};
  message('');
  ask(view, () => { asking = false; route(); });
}

window.addEventListener('login-required', login);
window.addEventListener('hashchange', () => { if (!asking) route(); });
route();
greet().catch(() => { /* the view says that the server does not answer */ });
