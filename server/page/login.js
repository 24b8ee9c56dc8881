// Logging in and out. A server without a passphrase never shows any of this.
import { describe, enter, exit, session } from './api.js';

const out = document.getElementById('logout');

/** Shows the form in `view`; calls `done` once the server has let us in. */
export function ask(view, done) {
  view.replaceChildren(document.getElementById('login').content.cloneNode(true));
  document.title = 'Log in · Video Story';
  out.hidden = true;
  const form = view.querySelector('form');
  const field = form.elements.passphrase;
  const problem = form.querySelector('.problem');
  const show = form.querySelector('[data-do=show]');

  show.addEventListener('click', () => {
    const hidden = field.type === 'password';
    field.type = hidden ? 'text' : 'password';
    show.textContent = hidden ? 'Hide' : 'Show';
    show.setAttribute('aria-pressed', String(hidden));
    field.focus();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button[type=submit]');
    button.disabled = true;
    problem.hidden = true;
    try {
      await enter(field.value);
      field.value = '';
      await greet();
      done();
    } catch (failure) {
      problem.textContent = describe(failure);
      problem.hidden = false;
      field.select();
    } finally {
      button.disabled = false;
    }
  });
  field.focus();
}

/** Shows the way out where there is one. */
export async function greet() {
  const { login_required: required, logged_in: inside } = await session();
  out.hidden = !(required && inside);
}

out.addEventListener('click', async () => {
  out.disabled = true;
  try { await exit(); } catch { /* it has ended already, or the next request says why not */ } finally { out.disabled = false; }
  location.reload(); // and with it everything that this page has read
});
