import 'reflect-metadata';
import { type AddressInfo, type Server } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { AppModule } from './app.module.js';

const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: Number(process.env['PORT'] ?? 3000) },
  logger: ['error', 'warn'],
});
app.enableShutdownHooks();
await app.listen();
const { port } = app.unwrap<Server>().address() as AddressInfo;
console.log(`ready at tcp://127.0.0.1:${port}`);
