import { byId, make, setText } from './dom.js';
import { ownerLines, visible } from './format.js';

const RELEASE = new URL('../release', import.meta.url);

/** Asks before it takes a claim away, and tells what became of it. */
export function releaseDialog(onNews) {
  const dialog = byId('release', HTMLDialogElement);
  const now = byId('release-now', HTMLButtonElement);
  let asked;

  now.addEventListener('click', async () => {
    now.disabled = true;
    try {
      const released = await release(asked);
      dialog.close();
      onNews(released ? `“${visible(asked.key)}” was taken away.` : 'It was no longer in line.');
    } catch (error) {
      setText(byId('release-problem'), /** @type {Error} */ (error).message);
    } finally {
      now.disabled = false;
    }
  });

  return {
    ask({ service, key }, { claim, position, owner, token }) {
      asked = { service, key, claim };
      const { what, where } = ownerLines(owner);
      byId('release-text').replaceChildren(
        make('p', {}, 'Of ', make('code', { class: 'key' }, visible(key)), `, position ${position}:`),
        make('p', { class: 'victim' }, make('strong', {}, what), make('span', { class: 'where' }, where)),
        make(
          'p',
          {},
          'Whoever holds it loses it, and the next in line comes in at once. It may be in the middle of something, and does ' +
            'not stop by itself: only a resource that checks fencing tokens refuses what it still writes' +
            `${token === undefined ? '' : ` (token ${token})`}. Whoever waits is sent away.`,
        ),
      );
      setText(byId('release-problem'), '');
      dialog.showModal();
    },
  };
}

async function release(wish) {
  const response = await fetch(RELEASE, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `It was refused with ${response.status}.`);
  return answer.released;
}
