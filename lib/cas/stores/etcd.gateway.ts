import { classified, EtcdRefusal, wasNeverSent } from './etcd.errors.js';
import { EtcdHttp } from './etcd.http.js';
import { type EtcdSettings } from './etcd.options.js';

/** A cluster: one of its members, until that one fails, and whoever is logged in there. */
export class EtcdGateway {
  private readonly http: EtcdHttp;
  private current: number;
  private token: Promise<string | undefined> | undefined;
  private readonly calls = new Set<AbortController>();
  private closed = false;

  constructor(private readonly settings: EtcdSettings) {
    this.http = new EtcdHttp(settings.tls);
    // Not everybody begins with the same one.
    this.current = Math.floor(Math.random() * settings.endpoints.length);
  }

  /** Rejects, in bounded time, with what `classified` makes of a failure. */
  async call<Answer>(path: string, body: object): Promise<Answer> {
    if (this.closed) throw new Error('the store is closed');
    const { commandTimeoutMs } = this.settings;
    const ending = new AbortController();
    const { signal } = ending;
    const timer = setTimeout(
      () => ending.abort(new Error(`no answer of etcd within ${commandTimeoutMs} ms`)),
      commandTimeoutMs,
    );
    this.calls.add(ending);
    try {
      return await this.loggedIn(signal, (token) => {
        return this.somewhere((endpoint) => this.http.ask<Answer>(endpoint, { path, body, token, signal }));
      });
    } catch (error) {
      throw signal.aborted ? signal.reason : classified(error);
    } finally {
      clearTimeout(timer);
      this.calls.delete(ending);
    }
  }

  /** Until the connection is lost, or `signal` or whoever hears it ends it. */
  async listen<Message>(
    path: string,
    body: object,
    signal: AbortSignal,
    hear: (message: Message) => void,
  ): Promise<void> {
    await this.loggedIn(signal, (token) => {
      return this.somewhere(async (endpoint) => {
        const messages = this.http.listen<Message>(endpoint, { path, body, token, signal });
        for await (const message of messages) hear(message);
        throw new Error('the connection was closed');
      });
    });
  }

  close(): void {
    this.closed = true;
    for (const call of this.calls) call.abort(new Error('the store is closed'));
    this.http.close();
  }

  /** What fails goes to somebody else the next time; at once only if it surely was not done. */
  private async somewhere<T>(work: (endpoint: URL) => Promise<T>): Promise<T> {
    const { endpoints } = this.settings;
    for (let left = endpoints.length - 1; ; left -= 1) {
      const { current } = this;
      try {
        return await work(endpoints[current]!);
      } catch (error) {
        if (error instanceof EtcdRefusal && !error.isOfThisMember) throw error;
        if (this.current === current) this.current = (current + 1) % endpoints.length;
        if (left === 0 || !wasNeverSent(error)) throw error;
      }
    }
  }

  /** With a token; and once more with a new one if that was refused, which means that nothing was done. */
  private async loggedIn<T>(signal: AbortSignal, work: (token: string | undefined) => Promise<T>): Promise<T> {
    if (this.settings.user === undefined) return work(undefined);
    const before = (this.token ??= this.logIn(signal));
    try {
      return await work(await before);
    } catch (error) {
      if (!(error instanceof EtcdRefusal && error.wantsNewToken)) throw error;
      if (this.token === before) this.token = undefined;
      return work(await (this.token ??= this.logIn(signal)));
    }
  }

  private async logIn(signal: AbortSignal): Promise<string | undefined> {
    const request = { path: '/v3/auth/authenticate', body: this.settings.user!, token: undefined, signal };
    try {
      const { token } = await this.somewhere((endpoint) => this.http.ask<{ token: string }>(endpoint, request));
      return token;
    } catch (error) {
      // Everybody may do everything: until that is changed, and the missing token is refused.
      if (error instanceof EtcdRefusal && error.message.includes('authentication is not enabled')) return undefined;
      this.token = undefined;
      throw error;
    }
  }
}
