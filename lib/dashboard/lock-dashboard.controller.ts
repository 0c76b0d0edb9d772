import { Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { isLockError, LockConfigError } from '../core/errors.js';
import { LockDashboard } from './lock-dashboard.js';
import { loadPage, loadPageFiles, pageAt } from './page-files.js';
import { type FrameworkRequest, type FrameworkResponse, send, sendJson, takeOver } from './raw-http.js';
import { isJson, isSameOrigin } from './same-origin.js';
import { readView } from './view.js';

/** The routes of the page. They write the response themselves: what interceptors of the application make of answers is not for it. */
export class LockDashboardController {
  private readonly page = loadPage();
  private readonly files = loadPageFiles();

  constructor(@Inject(LockDashboard) private readonly dashboard: LockDashboard) {}

  @Get()
  show(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): void {
    send(response, 200, 'text/html; charset=utf-8', pageAt(this.page, urlOf(request)));
  }

  @Get('files/:name')
  file(@Param('name') name: string, @Res() response: FrameworkResponse): void {
    const file = this.files.get(name);
    if (file === undefined) return sendJson(response, 404, { message: 'There is no such file.' });
    send(response, 200, file.type, file.content);
  }

  @Get('events')
  events(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): void {
    void this.dashboard.show(readView(urlOf(request)), takeOver(response));
  }

  @Post('release')
  async release(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): Promise<void> {
    const { headers } = request;
    if (!isSameOrigin(headers)) return sendJson(response, 403, { message: 'Only the page itself may ask for this.' });
    if (!isJson(headers)) return sendJson(response, 403, { message: 'Only JSON is taken here.' });
    const wish = readWish(request.body);
    if (wish === undefined) return sendJson(response, 400, { message: 'service, key and claim must be given.' });
    try {
      const released = await this.dashboard.forceRelease(wish, wish.claim);
      if (released === undefined) return sendJson(response, 404, { message: 'There is no such lock service.' });
      sendJson(response, 200, { released });
    } catch (error) {
      if (!isLockError(error)) throw error;
      sendJson(response, error instanceof LockConfigError ? 400 : 503, { message: error.message });
    }
  }
}

function urlOf({ originalUrl, url, raw }: FrameworkRequest): string {
  return originalUrl ?? raw?.url ?? url ?? '/';
}

function readWish(body: unknown): Record<'service' | 'key' | 'claim', string> | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { service, key, claim } = body as Record<string, unknown>;
  if (typeof service !== 'string' || typeof key !== 'string' || typeof claim !== 'string') return undefined;
  return { service, key, claim };
}
