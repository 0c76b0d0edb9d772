import { NestFactory } from '@nestjs/core';
import { type Sale, TicketSaleModule } from './ticket-sale.module.js';

export interface OpenSale {
  readonly urls: readonly string[];
  close(): Promise<void>;
}

/** The application, listening. */
export async function openSale(sale: Sale = {}): Promise<OpenSale> {
  const app = await NestFactory.create(TicketSaleModule.with(sale), {
    logger: ['error', 'warn'],
    // Browsers open connections before they need them, and the server would wait for a first request on each.
    forceCloseConnections: true,
  });
  // Also on a busy machine, buyers shall find the connection open on which they looked at the event.
  app.getHttpServer().keepAliveTimeout = 60_000;
  await app.listen(0, '127.0.0.1');
  return { urls: [await app.getUrl()], close: () => app.close() };
}
