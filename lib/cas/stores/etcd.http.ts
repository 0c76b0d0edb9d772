import { Agent as HttpAgent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import { EtcdRefusal } from './etcd.errors.js';
import { type EtcdTls } from './etcd.options.js';

/** For so long a connection is kept that nobody uses: shorter than etcd does, or what may stand before it. */
const IDLE_MS = 30_000;
/** A machine that is gone does not say so: a silent connection is asked so often. */
const KEEP_ALIVE_MS = 5_000;
/** What is asked besides waits: more connections would make it no faster. */
const MOST_CONNECTIONS = 64;

export interface EtcdRequest {
  readonly path: string;
  readonly body: object;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** Requests to the JSON gateway of a member, on connections that are kept. */
export class EtcdHttp {
  private readonly agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent };

  constructor(tls: EtcdTls | undefined) {
    const keep = { keepAlive: true, timeout: IDLE_MS, maxSockets: MOST_CONNECTIONS };
    this.agents = { 'http:': new HttpAgent(keep), 'https:': new HttpsAgent({ ...tls, ...keep }) };
  }

  /** What was answered. @throws EtcdRefusal */
  async ask<Answer>(endpoint: URL, request: EtcdRequest): Promise<Answer> {
    const response = await this.open(endpoint, request);
    let text = '';
    for await (const chunk of response) text += chunk as string;
    if (response.statusCode !== 200) throw refusal(response, text);
    return JSON.parse(text) as Answer;
  }

  /** What is answered bit by bit, for as long as the connection holds. @throws EtcdRefusal */
  async *listen<Answer>(endpoint: URL, request: EtcdRequest): AsyncGenerator<Answer> {
    const response = await this.open(endpoint, request);
    response.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    let text = '';
    for await (const chunk of response) {
      const lines = (text + (chunk as string)).split('\n');
      text = lines.pop()!;
      if (response.statusCode === 200) for (const line of lines) if (line !== '') yield JSON.parse(line) as Answer;
    }
    if (response.statusCode !== 200) throw refusal(response, text);
  }

  close(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }

  private open(endpoint: URL, { path, body, token, signal }: EtcdRequest): Promise<IncomingMessage> {
    const protocol = endpoint.protocol as 'http:' | 'https:';
    const text = JSON.stringify(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(token === undefined ? {} : { authorization: token }),
    };
    const url = new URL(endpoint.pathname.replace(/\/$/, '') + path, endpoint);
    return new Promise((resolve, reject) => {
      const send = protocol === 'https:' ? overHttps : overHttp;
      const request = send(url, { method: 'POST', headers, agent: this.agents[protocol], signal }, (response) => {
        resolve(response.setEncoding('utf8'));
      });
      request.on('error', reject);
      request.end(text);
    });
  }
}

function refusal({ statusCode = 0 }: IncomingMessage, text: string): EtcdRefusal {
  try {
    const { message, error } = JSON.parse(text) as { message?: string; error?: string };
    return new EtcdRefusal(statusCode, message ?? error ?? text.slice(0, 200));
  } catch {
    return new EtcdRefusal(statusCode, `${statusCode}: ${text.slice(0, 200).trim()}`);
  }
}
