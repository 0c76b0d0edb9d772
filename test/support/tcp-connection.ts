import { type Socket } from 'node:net';
import { type Act } from './tcp-stream.js';
import { type TcpDirection } from './tcp-direction.js';

/** How bytes are cut into messages. */
export interface Protocol {
  /** Where the first message ends; undefined: beyond these bytes. */
  endOfMessage(bytes: Buffer): number | undefined;
  /** Whether what the server says is the reply to the oldest request that has none. */
  answers(message: Buffer): boolean;
}

export interface TcpSide {
  readonly socket: Socket;
  /** Where what it says goes along. */
  readonly direction: TcpDirection;
}

/** A client and a server that talk through us. */
export class TcpConnection {
  private readonly streams;
  private unanswered = 0;
  private repliesUntilLoss: number | undefined;

  constructor(
    private readonly client: TcpSide,
    private readonly server: TcpSide,
    private readonly protocol: Protocol,
    private readonly events: {
      /** Asked when a request arrives at the server. */
      losesReplyTo: (request: Buffer) => boolean;
      replyLost: () => void;
      closed: () => void;
    },
  ) {
    this.streams = [
      this.connect(client, (act) => this.toServer(act)),
      this.connect(server, (act) => this.toClient(act)),
    ];
  }

  /** As when a machine on the way restarts: both sides are told, and whatever was on its way is gone. */
  cut(): void {
    for (const stream of this.streams) stream.stop();
    for (const { socket } of [this.client, this.server]) reset(socket);
  }

  private connect({ socket, direction }: TcpSide, deliver: (act: Act) => void) {
    const stream = direction.stream(deliver);
    let bytes: Buffer = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      for (let end = this.protocol.endOfMessage(bytes); end !== undefined; end = this.protocol.endOfMessage(bytes)) {
        stream.push(bytes.subarray(0, end));
        bytes = bytes.subarray(end);
      }
    });
    socket.on('end', () => stream.push('end'));
    socket.on('error', () => stream.push('reset'));
    socket.on('close', () => {
      if (!this.client.socket.closed || !this.server.socket.closed) return;
      for (const each of this.streams) each.stop();
      this.events.closed();
    });
    return stream;
  }

  private toServer(act: Act): void {
    if (act instanceof Buffer) {
      this.unanswered += 1;
      if (this.repliesUntilLoss === undefined && this.events.losesReplyTo(act)) this.repliesUntilLoss = this.unanswered;
    }
    perform(act, this.server.socket);
  }

  private toClient(act: Act): void {
    if (act instanceof Buffer && this.protocol.answers(act)) {
      this.unanswered -= 1;
      if (this.repliesUntilLoss !== undefined && --this.repliesUntilLoss === 0) {
        this.events.replyLost();
        this.cut();
        return;
      }
    }
    perform(act, this.client.socket);
  }
}

function perform(act: Act, socket: Socket): void {
  if (act === 'end') socket.end();
  else if (act === 'reset') reset(socket);
  else socket.write(act);
}

/** Node leaks a socket that it resets while the socket is shutting down, and then spins for ever when the process exits. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
