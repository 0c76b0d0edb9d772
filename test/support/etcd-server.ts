import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { programOf } from '../../tools/servers.mjs';
import { freePort } from './free-port.js';
import { OwnServer, started } from './own-server.js';
import { type ServerCommand } from './server-process.js';

export interface EtcdFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Member {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
}

/** A server of one's own on free loopback ports. With `tls`, it speaks it, and wants a client's certificate. */
export function startEtcd(tls?: EtcdFiles): Promise<EtcdServer> {
  return started(async () => {
    const member = await newMember('one');
    return new EtcdServer(member, [member], tls);
  });
}

/** Three of them, that are one cluster. */
export async function startEtcdCluster(): Promise<readonly EtcdServer[]> {
  for (let attempt = 1; ; attempt += 1) {
    const members = await Promise.all(['one', 'two', 'three'].map(newMember));
    const servers = members.map((member) => new EtcdServer(member, members));
    try {
      // A member answers when it has found others.
      await Promise.all(servers.map((server) => server.restart()));
      return servers;
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      if (attempt === 5) throw error;
    }
  }
}

export class EtcdServer extends OwnServer {
  readonly url: string;
  private readonly program = programOf('etcd');

  constructor(
    private readonly member: Member,
    private readonly cluster: readonly Member[],
    private readonly tls?: EtcdFiles,
  ) {
    super('etcd');
    this.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${member.port}`;
  }

  get port(): number {
    return this.member.port;
  }

  /** For what tests ask of it, without TLS. */
  async ask<Answer>(path: string, body: object, token?: string): Promise<Answer> {
    const headers = token === undefined ? {} : { authorization: token };
    const response = await fetch(this.url + path, { method: 'POST', body: JSON.stringify(body), headers });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  protected command(): Pick<ServerCommand, 'command' | 'args' | 'answers'> {
    const { name, peerPort } = this.member;
    const peer = `http://127.0.0.1:${peerPort}`;
    const args = {
      name,
      'data-dir': join(this.folder, 'data'),
      'listen-client-urls': this.url,
      'advertise-client-urls': this.url,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': this.cluster.map((each) => `${each.name}=http://127.0.0.1:${each.peerPort}`).join(','),
      ...(this.tls && {
        'cert-file': this.tls.cert,
        'key-file': this.tls.key,
        'trusted-ca-file': this.tls.ca,
        'client-cert-auth': 'true',
      }),
    };
    return {
      command: this.program,
      args: Object.entries(args).map(([option, value]) => `--${option}=${value}`),
      answers: () => this.answers(),
    };
  }

  /** Itself, and it has a leader. Behind TLS only that somebody listens: what it speaks is for the test to find out. */
  private async answers(): Promise<boolean> {
    if (this.tls !== undefined) return listens(this.port);
    type Status = { header: { member_id: string }; leader?: string };
    type Members = { members: { ID: string; name?: string; clientURLs?: string[] }[] };
    const { header, leader } = await this.ask<Status>('/v3/maintenance/status', {});
    const { members } = await this.ask<Members>('/v3/cluster/member/list', {});
    const own = members.find(({ ID }) => ID === header.member_id);
    return leader !== undefined && own?.name === this.member.name && (own.clientURLs ?? []).includes(this.url);
  }
}

async function newMember(name: string): Promise<Member> {
  return { name, port: await freePort(), peerPort: await freePort() };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
