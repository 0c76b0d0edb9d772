import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { LockModule } from 'nestjs-locked';
import { Auctions } from './auction.js';
import { AuctionsResolver } from './auctions.resolver.js';
import { Expert } from './expert.js';

@Module({
  imports: [
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
    LockModule.forRoot(),
  ],
  providers: [Auctions, AuctionsResolver, Expert],
})
export class AppModule {}
