import { afterEach } from '@jest/globals';
import { type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Log } from '../nest/apps.js';

const open = new Set<INestApplication>();

afterEach(async () => {
  const all = [...open];
  open.clear();
  await Promise.all(all.map((app) => app.close()));
});

export const PLATFORMS = {
  Express: () => new ExpressAdapter(),
  Fastify: (forceCloseConnections: boolean) => new FastifyAdapter({ forceCloseConnections }),
};

export interface Running {
  readonly app: INestApplication;
  readonly url: string;
}

interface RunOptions {
  readonly platform?: keyof typeof PLATFORMS;
  readonly prepare?: (app: INestApplication) => unknown;
  /** Whether closing waits for whoever is connected. */
  readonly isPatient?: boolean;
}

/** A real application, listening on the loopback interface. Closed after the test. */
export async function run(
  metadata: ModuleMetadata,
  { platform = 'Express', prepare, isPatient = false }: RunOptions = {},
): Promise<Running> {
  const module = await Test.createTestingModule(metadata).setLogger(new Log()).compile();
  const app = module.createNestApplication(PLATFORMS[platform](!isPatient), { forceCloseConnections: !isPatient });
  prepare?.(app);
  await app.listen(0, '127.0.0.1');
  open.add(app);
  return { app, url: await app.getUrl() };
}
