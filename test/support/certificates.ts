import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  readonly ca: string;
  /** Of a server on the loopback, and of a client as well. */
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

/** Paths of certificates of an authority that nobody knows. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-certificates-'));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=nobody');
  writeFileSync(path('ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  openssl('req', ...newKey.slice(0, -2), '-keyout', 'own.key', '-out', 'own.csr', '-subj', '/CN=own');
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext'];
  openssl('x509', '-req', '-in', 'own.csr', ...sign, '-out', 'own.pem');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { ca: path('ca.pem'), cert: path('own.pem'), key: path('own.key'), remove };
}
