import { afterEach, describe, expect, it } from '@jest/globals';
import { type CanActivate, type ExecutionContext, Injectable, Module, VersioningType } from '@nestjs/common';
import { LockConfigError, LockModule, LockService } from 'nestjs-locked';
import { LockDashboardModule } from 'nestjs-locked/dashboard';
import { MemoryBackend } from 'nestjs-locked/memory';
import { until } from '../support/until.js';
import { PLATFORMS, run } from './applications.js';
import { FrameStream } from './stream.js';

@Injectable()
class Words {
  readonly secret = 'sesame';
}

@Module({ providers: [Words], exports: [Words] })
class WordsModule {}

@Injectable()
class SecretGuard implements CanActivate {
  constructor(private readonly words: Words) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers['x-secret'] === this.words.secret;
  }
}

const nobody: CanActivate = { canActivate: () => false };
const RELEASE = { service: 'default', key: 'a', claim: '0' };

/** Every address of the page, as the page itself asks for them. */
async function addressesOf(page: string): Promise<string[]> {
  const html = await (await fetch(page, { headers: { 'x-secret': 'sesame' } })).text();
  const linked = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => new URL(link!, page).href);
  const script = linked.find((link) => link.endsWith('page.js'))!;
  const text = await (await fetch(script, { headers: { 'x-secret': 'sesame' } })).text();
  const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, name]) => new URL(name!, script).href);
  return [page, ...linked, ...imported, `${script}/../../events`];
}

function post(url: string, headers: Record<string, string> = {}, body: unknown = RELEASE): Promise<Response> {
  const own = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
  return fetch(`${url}/locks/release`, { method: 'POST', headers: { ...own, ...headers }, body: JSON.stringify(body) });
}

describe.each(Object.keys(PLATFORMS) as (keyof typeof PLATFORMS)[])('the page on %s', (platform) => {
  it('has all that it needs below its path, under a policy that lets nothing else in', async () => {
    const { url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] }, { platform });
    const addresses = await addressesOf(`${url}/locks`);
    expect(addresses.length).toBeGreaterThan(8);
    for (const address of addresses) {
      const { status, headers, body } = await fetch(address);
      await body?.cancel();
      expect([address, status]).toEqual([address, 200]);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; /,
      );
      expect(headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    const html = await (await fetch(`${url}/locks`)).text();
    expect(html).not.toMatch(/<script(?! type="module" src="locks\/files\/)|style=| on[a-z]+=|https?:/);
    expect((await fetch(`${url}/locks/files/..%2f..%2findex.js`)).status).toBe(404);
  });

  it('is found behind a global prefix, with a path of its own, and beside versions of an API', async () => {
    const { url } = await run(
      { imports: [LockModule.forRoot(), LockDashboardModule.forRoot({ path: 'ops/locks' })] },
      {
        platform,
        prepare: (app) => {
          app.setGlobalPrefix('api');
          app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        },
      },
    );
    for (const address of await addressesOf(`${url}/api/ops/locks`)) {
      const { status, body } = await fetch(address);
      await body?.cancel();
      expect([address, status]).toEqual([address, 200]);
    }
  });

  it('is nobody’s without the blessing of the guard, on every one of its routes', async () => {
    const dashboard = LockDashboardModule.forRoot({ guard: SecretGuard, imports: [WordsModule] });
    const { app, url } = await run({ imports: [LockModule.forRoot(), dashboard] }, { platform });
    const lock = await app.get(LockService).acquire('a');
    const addresses = await addressesOf(`${url}/locks`);
    expect(addresses.length).toBeGreaterThan(8);
    for (const address of [...addresses, `${url}/locks/files/no-such-file.js`]) {
      expect([address, (await fetch(address)).status]).toEqual([address, 403]);
    }
    const { holders } = await app.get(LockService).inspect('a');
    const wish = { ...RELEASE, claim: holders[0]!.claim };
    expect((await post(url, {}, wish)).status).toBe(403);
    expect(lock.held).toBe(true);
    const blessed = await post(url, { 'x-secret': 'sesame' }, wish);
    expect([blessed.status, await blessed.json()]).toEqual([200, { released: true }]);
    await until('it is lost', () => !lock.held);
  });

  it('takes a guard that is made already', async () => {
    const { url } = await run(
      { imports: [LockModule.forRoot(), LockDashboardModule.forRoot({ guard: nobody })] },
      { platform },
    );
    expect((await fetch(`${url}/locks`)).status).toBe(403);
  });

  it.each([
    ['of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of another origin of the site', { 'sec-fetch-site': 'same-site' }],
    ['typed in by hand', { 'sec-fetch-site': 'none' }],
    ['of nobody knows where', { 'sec-fetch-site': undefined }],
    [
      'of another origin, by a browser that tells no more',
      { 'sec-fetch-site': undefined, origin: 'http://elsewhere.test' },
    ],
    ['of an origin that is hidden', { 'sec-fetch-site': undefined, origin: 'null' }],
    ['of a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['of a form that sends plain text', { 'content-type': 'text/plain; a=application/json' }],
  ])('refuses a release %s', async (_name, headers) => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] }, { platform });
    const lock = await app.get(LockService).acquire('a');
    const { holders } = await app.get(LockService).inspect('a');
    const own = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const sent = Object.entries({ ...own, ...headers }).filter(([, value]) => value !== undefined) as [
      string,
      string,
    ][];
    const body = JSON.stringify({ ...RELEASE, claim: holders[0]!.claim });
    const answer = await fetch(`${url}/locks/release`, { method: 'POST', headers: sent, body });
    expect([403, 415]).toContain(answer.status);
    // A framework that does not know the type of the body may refuse it before us.
    if (!('content-type' in headers)) expect(answer.status).toBe(403);
    expect(lock.held).toBe(true);
    expect((await app.get(LockService).inspect('a')).holders).toHaveLength(1);
  });

  it('takes a release of its own origin from a browser that sends no more than the origin', async () => {
    const { app, url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] }, { platform });
    await app.get(LockService).acquire('a');
    const { holders } = await app.get(LockService).inspect('a');
    const headers = { 'content-type': 'application/json', origin: url };
    const body = JSON.stringify({ ...RELEASE, claim: holders[0]!.claim });
    const answer = await fetch(`${url}/locks/release`, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toEqual([200, { released: true }]);
  });

  it('says what it could not release, and why', async () => {
    const { url } = await run({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot()] }, { platform });
    const answers = async (body: unknown): Promise<unknown[]> => {
      const answer = await post(url, {}, body);
      return [answer.status, await answer.json()];
    };
    expect(await answers(RELEASE)).toEqual([200, { released: false }]);
    expect(await answers({ ...RELEASE, service: 'other' })).toEqual([404, { message: expect.anything() }]);
    expect(await answers({ ...RELEASE, key: '' })).toEqual([400, { message: expect.anything() }]);
    expect(await answers({ key: 'a' })).toEqual([400, { message: expect.anything() }]);
  });

  it('lets the application close while somebody watches', async () => {
    const imports = [LockModule.forRoot(), LockDashboardModule.forRoot()];
    const { app, url } = await run({ imports }, { platform, isPatient: true });
    const stream = await FrameStream.open(`${url}/locks/events`);
    await stream.frame('the first', () => true);
    const closed = app.close().then(() => true);
    try {
      await until('the application has closed', () => closed);
      await until('the stream has ended', () => stream.ended);
    } finally {
      stream.close();
    }
  });
});

describe('LockDashboardModule', () => {
  const { NODE_ENV } = process.env;
  afterEach(() => {
    process.env['NODE_ENV'] = NODE_ENV;
  });

  it('does not start in production without a guard, unless that is said to be meant', async () => {
    process.env['NODE_ENV'] = 'production';
    const backend = new MemoryBackend();
    const started = (options: Parameters<typeof LockDashboardModule.forRoot>[0]): Promise<unknown> =>
      run({ imports: [LockModule.forRoot({ backend }), LockDashboardModule.forRoot(options)] });
    await expect(started({})).rejects.toThrow(LockConfigError);
    await expect(started({})).rejects.toThrow(/set guard .* set insecure: true/);
    await expect(started({ guard: nobody })).resolves.toBeDefined();
    await expect(started({ insecure: true })).resolves.toBeDefined();
  });

  it('refuses what cannot be', async () => {
    const wrong = (options: object) => () => LockDashboardModule.forRoot(options);
    expect(wrong({ path: 1 })).toThrow(LockConfigError);
    expect(wrong({ guard: {} })).toThrow(LockConfigError);
    await expect(run({ imports: [LockDashboardModule.forRoot()] })).rejects.toThrow(/LockModule, and none is imported/);
  });
});
