import { type AddressInfo, type Server } from 'node:net';
import { Controller, Inject, type Type, UseGuards } from '@nestjs/common';
import { ClientRedis, ClientTCP, EventPattern, MessagePattern } from '@nestjs/microservices';
import { type MicroserviceOptions, Payload, RpcException, Transport } from '@nestjs/microservices';
import { lastValueFrom, timeout } from 'rxjs';
import { Locked } from 'nestjs-locked';
import { until } from '../../nest/apps.js';
import { type Cell, type Door, type EntryPoint, FriendsOnly, type Site, STRANGER, Tag } from '../cell.js';
import { type made, Workshop } from '../workshop.js';
import { compile, outcome } from './site.js';

interface Order {
  readonly item: number;
  readonly by: string;
}

const order: Order = { item: 7, by: 'friend' };
const strangersOrder: Order = { item: 7, by: STRANGER };
const itemOf = ({ item }: Order): string => `item:${item}`;

function controllerOf(cell: Cell, Pattern: (pattern: string) => MethodDecorator): Type {
  @Controller(cell.options)
  class Items {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Pattern('work')
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    async handle(@Payload() _order: Order): Promise<typeof made> {
      this.workshop.look(this);
      return this.workshop.work();
    }
  }
  return Items;
}

type Client = ClientTCP | ClientRedis;

/** How a service listens, and how a client reaches one that does. */
interface Wire {
  readonly needsRedis: boolean;
  service(site: Site): MicroserviceOptions;
  client(site: Site, port: () => number): Client;
}

const host = '127.0.0.1';

const tcp: Wire = {
  needsRedis: false,
  service: () => ({ transport: Transport.TCP, options: { host, port: 0 } }),
  client: (_site, port) => new ClientTCP({ host, port: port() }),
};

const redis: Wire = {
  needsRedis: true,
  service: (site) => ({ transport: Transport.REDIS, options: addressOf(site) }),
  client: (site) => new ClientRedis(addressOf(site)),
};

function addressOf({ redis: url }: Site): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

async function open(controller: Type, wire: Wire, site: Site): Promise<Omit<Door, 'call'> & { client: Client }> {
  const app = (await compile(site, { controllers: [controller] })).createNestMicroservice(wire.service(site));
  await app.listen();
  const portOf = (): number => (app.unwrap<Server>().address() as AddressInfo).port;
  const client = wire.client(site, portOf);
  await client.connect();
  const close = async (): Promise<void> => {
    await client.close();
    await app.close();
  };
  return { app, handler: [controller, 'handle'], client, close };
}

const failure = (): Error => new RpcException('mine');

function messages(wire: Wire): EntryPoint {
  return {
    failure,
    needsRedis: wire.needsRedis,
    open: async (cell, site) => {
      const { client, ...door } = await open(controllerOf(cell, MessagePattern), wire, site);
      const send = (what: Order): Promise<unknown> =>
        outcome(() => lastValueFrom(client.send<unknown>('work', what).pipe(timeout(20_000))));
      return { ...door, call: () => send(order), callAsStranger: () => send(strangersOrder) };
    },
  };
}

function events(wire: Wire): EntryPoint {
  return {
    failure,
    needsRedis: wire.needsRedis,
    open: async (cell, site) => {
      const { client, ...door } = await open(
        controllerOf(cell, EventPattern as (pattern: string) => MethodDecorator),
        wire,
        site,
      );
      const emit = async (what: Order): Promise<void> => {
        await lastValueFrom(client.emit<unknown>('work', what).pipe(timeout(20_000)), { defaultValue: undefined });
      };
      return {
        ...door,
        // What comes back is how it was sent.
        call: () => emit(order),
        callAsStranger: async () => {
          await emit(strangersOrder);
          await until(() => site.log.errors.length > 0);
          return String(site.log.errors);
        },
      };
    },
  };
}

export const microserviceEntryPoints = {
  'message over TCP': messages(tcp),
  'event over TCP': events(tcp),
  'message over Redis': messages(redis),
  'event over Redis': events(redis),
};
