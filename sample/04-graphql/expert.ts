import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Takes their time, and sends a bill for every question. */
@Injectable()
export class Expert {
  questions = 0;

  async estimate(id: string): Promise<number> {
    this.questions += 1;
    await sleep(50);
    return id.length * 100;
  }
}
