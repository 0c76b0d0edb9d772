const EVENTS = new URL('../events', import.meta.url);

/**
 * The frames of one view after the other. Only a page that is seen is sent any.
 *
 * @param {(frame: object, isFirst: boolean) => void} onFrame
 * @param {(state: 'connecting' | 'live' | 'gone' | 'refused' | 'asleep') => void} onState
 */
export function openStream(onFrame, onState) {
  let source;
  let view;

  const connect = () => {
    source?.close();
    if (document.hidden) return onState('asleep');
    const opened = new EventSource(`${EVENTS}?${queryOf(view)}`);
    source = opened;
    // After a break the server knows nothing of what was sent before.
    let isFirst = true;
    opened.addEventListener('open', () => {
      isFirst = true;
      onState('live');
    });
    opened.addEventListener('message', ({ data }) => {
      onFrame(JSON.parse(data), isFirst);
      isFirst = false;
    });
    opened.addEventListener('error', () => {
      if (opened.readyState !== EventSource.CLOSED) return onState('gone');
      onState('refused');
      // The browser gives up on an answer that is no stream, as of a proxy whose server is about to start.
      setTimeout(() => source === opened && connect(), 5_000);
    });
  };
  document.addEventListener('visibilitychange', connect);

  return {
    show(next) {
      view = next;
      connect();
    },
  };
}

/** The view as a query: for the server, and for the address of the page. */
export function queryOf({ prefix, page, selected }) {
  const query = new URLSearchParams();
  if (prefix !== '') query.set('prefix', prefix);
  if (page > 0) query.set('page', page);
  if (selected !== undefined) {
    query.set('service', selected.service);
    query.set('key', selected.key);
  }
  return query.toString();
}

export function viewOf(text) {
  const query = new URLSearchParams(text);
  const [service, key] = [query.get('service'), query.get('key')];
  return {
    prefix: query.get('prefix') ?? '',
    page: Number(query.get('page')) || 0,
    selected: service === null || key === null ? undefined : { service, key },
  };
}
