import { Processor, WorkerHost } from '@nestjs/bullmq';
import { DelayedError, type Job } from 'bullmq';
import { LockUnavailableError } from 'nestjs-locked';
import { Invoices } from './invoices.js';

export interface InvoiceJob {
  readonly customer: string;
}

/** Jobs of one customer one at a time, over all workers; those of others beside them. */
@Processor('invoices', { concurrency: 4 })
export class InvoiceProcessor extends WorkerHost {
  constructor(private readonly invoices: Invoices) {
    super();
  }

  async process(job: Job<InvoiceJob>, token?: string): Promise<number> {
    try {
      return await this.invoices.write(job.data.customer);
    } catch (error) {
      if (!(error instanceof LockUnavailableError)) throw error;
      // A job that waited for its lock would keep others from this worker. So it goes back to the queue for a moment.
      await job.moveToDelayed(Date.now() + 50, token);
      throw new DelayedError();
    }
  }
}
