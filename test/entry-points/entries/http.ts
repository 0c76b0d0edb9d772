import { Readable } from 'node:stream';
import { ConflictException, Controller, Get, HttpCode, Inject } from '@nestjs/common';
import { Param, ParseIntPipe, Sse, StreamableFile, type Type, UseGuards } from '@nestjs/common';
import { type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { concat, map, Observable, of } from 'rxjs';
import { Locked } from 'nestjs-locked';
import { type Cell, type EntryPoint, FriendsOnly, STRANGER, Tag } from '../cell.js';
import { type made, Workshop } from '../workshop.js';
import { compile } from './site.js';

const itemOf = (id: number): string => `item:${id}`;

function json(cell: Cell): Type {
  @Controller({ path: 'items', ...cell.options })
  class Items {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Get(':id')
    @HttpCode(202)
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    async handle(@Param('id', ParseIntPipe) _id: number): Promise<typeof made> {
      this.workshop.look(this);
      return this.workshop.work();
    }
  }
  return Items;
}

function events(cell: Cell): Type {
  @Controller({ path: 'items', ...cell.options })
  class Items {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Sse(':id')
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    handle(@Param('id', ParseIntPipe) _id: number): Observable<{ data: unknown }> {
      this.workshop.look(this);
      // The first event has the response begun, so that a failure is one in the middle of it.
      return concat(of('first'), this.workshop.work()).pipe(map((data) => ({ data })));
    }
  }
  return Items;
}

function file(cell: Cell): Type {
  @Controller({ path: 'items', ...cell.options })
  class Items {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Get(':id')
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    async handle(@Param('id', ParseIntPipe) _id: number): Promise<StreamableFile> {
      this.workshop.look(this);
      return new StreamableFile(Readable.from(linesOf(this.workshop)));
    }
  }
  return Items;
}

/** Somebody works on it while it is read. */
async function* linesOf(workshop: Workshop): AsyncGenerator<string> {
  yield 'first\n';
  yield JSON.stringify(await workshop.work());
}

function entryPoint(
  controllerOf: (cell: Cell) => Type,
  adapter: () => AbstractHttpAdapter,
  shows?: string,
): EntryPoint {
  return {
    ...(shows !== undefined && { shows }),
    failure: () => new ConflictException('mine'),
    open: async (cell, site) => {
      const controller = controllerOf(cell);
      const module = await compile(site, { controllers: [controller] });
      const app = module.createNestApplication(adapter(), { forceCloseConnections: true });
      await app.listen(0, '127.0.0.1');
      const url = `${await app.getUrl()}/items/7`;
      return {
        app,
        handler: [controller, 'handle'],
        call: () => answerOf(url),
        callAsStranger: () => answerOf(`${url}?by=${STRANGER}`),
        close: () => app.close(),
      };
    },
  };
}

async function answerOf(url: string): Promise<unknown> {
  const { status, headers, ...answer } = await ask(url);
  return { status, type: headers.get('content-type'), retryAfter: headers.get('retry-after'), ...answer };
}

async function ask(url: string): Promise<{ status: number; headers: Headers; body?: string; error?: string }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  const { status, headers } = answer;
  try {
    return { status, headers, body: await answer.text() };
  } catch (error) {
    return { status, headers, error: (error as Error).message };
  }
}

const express = (): AbstractHttpAdapter => new ExpressAdapter();
const fastify = (): AbstractHttpAdapter => new FastifyAdapter();

export const httpEntryPoints = {
  'HTTP on Express': entryPoint(json, express),
  'HTTP on Fastify': entryPoint(json, fastify),
  'server-sent events on Express': entryPoint(events, express),
  'server-sent events on Fastify': entryPoint(events, fastify),
  'streamed file on Express': entryPoint(file, express, 'terminated'),
  'streamed file on Fastify': entryPoint(file, fastify, 'terminated'),
};
