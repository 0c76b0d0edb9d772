import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Inject, Injectable, type Type, UseGuards } from '@nestjs/common';
import { Args, Field, GraphQLModule, Int, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { GraphQLError } from 'graphql';
import { Locked } from 'nestjs-locked';
import { type Cell, type EntryPoint, FriendsOnly, STRANGER, Tag } from '../cell.js';
import { Workshop } from '../workshop.js';
import { compile } from './site.js';

@ObjectType()
class Made {
  @Field(() => String)
  made!: string;

  @Field(() => String)
  empty!: string;
}

@ObjectType()
class Shelf {
  @Field(() => Int)
  id!: number;
}

const by = { name: 'by', type: () => String, nullable: true };
const id = { name: 'id', type: () => Int };
const itemOf = (_by: string | undefined, item: number): string => `item:${item}`;

function root(cell: Cell, Operation: typeof Query | typeof Mutation): Type {
  @Injectable(cell.options)
  @Resolver()
  class Items {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Operation(() => Made, { name: 'handle' })
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    async handle(@Args(by) _by: string | undefined, @Args(id) _id: number): Promise<Made> {
      this.workshop.look(this);
      return this.workshop.work();
    }

    @Query(() => String)
    schemasNeedAQuery(): string {
      return '';
    }
  }
  return Items;
}

function field(cell: Cell): Type {
  @Injectable(cell.options)
  @Resolver(() => Shelf)
  class Shelves {
    @Inject(Workshop) readonly workshop!: Workshop;

    @Query(() => Shelf)
    shelf(): Shelf {
      return { id: 7 };
    }

    @cell.above(Locked(itemOf))
    @ResolveField(() => Made, { name: 'handle' })
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    async handle(@Args(by) _by: string | undefined, @Args(id) _id: number): Promise<Made> {
      this.workshop.look(this);
      return this.workshop.work();
    }
  }
  return Shelves;
}

const ask = (who: string): string => `handle(by: "${who}", id: 7) { made empty }`;

function entryPoint(resolverOf: (cell: Cell) => Type, documentOf: (who: string) => string): EntryPoint {
  return {
    failure: () => new GraphQLError('mine', { extensions: { code: 'MINE', nested: [1, null] } }),
    open: async (cell, site) => {
      const resolver = resolverOf(cell);
      const module = await compile(site, {
        imports: [
          GraphQLModule.forRoot<ApolloDriverConfig>({
            driver: ApolloDriver,
            autoSchemaFile: true,
            // Nest has guards, filters and interceptors left out at fields otherwise.
            fieldResolverEnhancers: ['guards', 'filters', 'interceptors'],
          }),
        ],
        providers: [resolver],
      });
      const app = module.createNestApplication({ forceCloseConnections: true });
      await app.listen(0, '127.0.0.1');
      const url = `${await app.getUrl()}/graphql`;
      return {
        app,
        handler: [resolver, 'handle'],
        call: () => answerOf(url, documentOf('friend')),
        callAsStranger: () => answerOf(url, documentOf(STRANGER)),
        close: () => app.close(),
      };
    },
  };
}

async function answerOf(url: string, query: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(20_000);
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }), signal });
  return { status: answer.status, body: (await answer.json()) as unknown };
}

export const graphqlEntryPoints = {
  'GraphQL query': entryPoint(
    (cell) => root(cell, Query),
    (who) => `{ ${ask(who)} }`,
  ),
  'GraphQL mutation': entryPoint(
    (cell) => root(cell, Mutation),
    (who) => `mutation { ${ask(who)} }`,
  ),
  'GraphQL field': entryPoint(field, (who) => `{ shelf { id ${ask(who)} } }`),
};
