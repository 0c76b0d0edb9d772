import { Injectable, ServiceUnavailableException } from '@nestjs/common';

/** Somebody else's service, at RISK_CHECK_URL. */
@Injectable()
export class RiskCheck {
  async approve(account: string, amount: number): Promise<void> {
    const { RISK_CHECK_URL: url } = process.env;
    if (url === undefined) return;
    const { ok } = await fetch(url, { method: 'POST', body: JSON.stringify({ account, amount }) });
    if (!ok) throw new ServiceUnavailableException('The payment was not approved');
  }
}
