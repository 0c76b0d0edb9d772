/** Every way by which Nest calls a method. */
export const entryPoints = [
  'HTTP on Express',
  'HTTP on Fastify',
  'server-sent events on Express',
  'server-sent events on Fastify',
  'streamed file on Express',
  'streamed file on Fastify',
  'GraphQL query',
  'GraphQL mutation',
  'GraphQL field',
  'message over TCP',
  'event over TCP',
  'message over Redis',
  'event over Redis',
  'gateway on ws',
  'gateway on socket.io',
  '@Cron',
  '@Interval',
  '@Timeout',
  'BullMQ processor',
  'CQRS command handler',
  'CQRS query handler',
  'CQRS event handler',
  'standalone application',
] as const;

/** Of the class that has the method. */
export const scopes = ['singleton', 'REQUEST', 'TRANSIENT', 'durable'] as const;

/** Where `@Locked` stands among the decorators of the method. */
export const orders = ['above', 'below'] as const;

export type EntryPointName = (typeof entryPoints)[number];
export type ScopeName = (typeof scopes)[number];
export type Order = (typeof orders)[number];

const UNBUILT =
  'Nest builds transient providers where they are injected. A handler is not: it is called on a bare prototype, where ' +
  'whatever it needs is undefined. Transient providers are locked when they are injected or resolved: see the last row';

const UNSCHEDULED = 'ScheduleModule leaves out a provider that is not static, with a warning';

const scheduled = { REQUEST: UNSCHEDULED, TRANSIENT: UNBUILT, durable: UNSCHEDULED };
const handled = { TRANSIENT: UNBUILT };

/** The cells that cannot exist, and why. */
export const impossible: Record<EntryPointName, Partial<Record<ScopeName, string>>> = {
  'HTTP on Express': handled,
  'HTTP on Fastify': handled,
  'server-sent events on Express': handled,
  'server-sent events on Fastify': handled,
  'streamed file on Express': handled,
  'streamed file on Fastify': handled,
  'GraphQL query': handled,
  'GraphQL mutation': handled,
  'GraphQL field': handled,
  'message over TCP': handled,
  'event over TCP': handled,
  'message over Redis': handled,
  'event over Redis': handled,
  'gateway on ws': handled,
  'gateway on socket.io': handled,
  '@Cron': scheduled,
  '@Interval': scheduled,
  '@Timeout': scheduled,
  'BullMQ processor': handled,
  'CQRS command handler': handled,
  'CQRS query handler': handled,
  'CQRS event handler': handled,
  'standalone application': {},
};

/** One cell of the table. */
export function cellName(entryPoint: EntryPointName, scope: ScopeName, order: Order): string {
  return `${entryPoint}, ${scope}, @Locked ${order}`;
}

export const cells = entryPoints.flatMap((entryPoint) =>
  scopes.flatMap((scope) => orders.map((order) => [entryPoint, scope, order] as const)),
);
