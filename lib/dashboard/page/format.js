/** '4 ms', '2.4 s', '3 m 05 s', '2 h 10 m', '3 d 4 h'. */
export function duration(ms) {
  if (ms < 100) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${twoDigits(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} m`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/** What would be invisible, or turn the text around it, is written out. */
export function visible(text) {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16).padStart(4, '0')}}`,
  );
}

/** null: everybody who shares. */
export function mode(slots) {
  if (slots === 1) return 'exclusive';
  return slots === null ? 'shared' : `limit ${slots}`;
}

/** What of the application it is, and where that runs. */
export function ownerLines(owner) {
  if (owner === undefined || owner === null) return { what: 'did not say who it is', where: '' };
  const { application, host, pid, site } = owner;
  const what = site ?? application ?? 'did not say what it is';
  const parts = [application === what ? undefined : application, host, pid === undefined ? undefined : `pid ${pid}`];
  const where = parts.filter((part) => part !== undefined).map((part) => visible(String(part)));
  return { what: visible(what), where: where.join(' · ') };
}

export function timeOfDay(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

const REASONS = {
  'lease-ended': 'lease ended before it was renewed',
  'claim-gone': 'the backend no longer had it',
  forced: 'taken away by hand',
  'max-hold': 'held for maxHoldMs',
  'clock-suspect': 'the clocks drifted apart',
  closed: 'the application closed',
  released: 'released',
  busy: 'others had it',
  LOCK_UNAVAILABLE: 'others had it',
  LOCK_BACKEND: 'the backend could not be asked',
};

export function reasonText(reason) {
  return REASONS[reason] ?? reason ?? '';
}

function twoDigits(number) {
  return String(number).padStart(2, '0');
}
