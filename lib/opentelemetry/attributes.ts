import { type Attributes } from '@opentelemetry/api';
import { isLockError } from '../core/errors.js';
import { type LockTelemetryOptions } from './lock-telemetry.options.js';

/** What is told of besides a key: the part of events and traces that attributes are made of. */
export interface Origin {
  readonly service: string;
  readonly backend: string;
  readonly site?: string | undefined;
}

/** As the semantic conventions call what is one of too many, or not known. */
const OTHER = '_OTHER';

/**
 * How many different subjects are told apart. A histogram is about twenty series for each of them. Whoever has more made a site
 * or a template of something that an application has any number of, and is told so by `_OTHER`.
 */
const MOST_SUBJECTS = 200;

/** The attributes of whose lock it was: the same object for the same subject, so that a lock costs a look into a map. */
export class Subjects {
  private readonly known = new Map<string, Attributes>();
  private readonly templateOf: (key: string) => string | undefined;

  constructor({ keyTemplate = () => undefined }: LockTelemetryOptions) {
    this.templateOf = keyTemplate;
  }

  of({ service, backend, site }: Origin, keys: readonly string[]): Attributes {
    const template = this.templateOfAll(keys);
    const name = `${service}\0${backend}\0${site ?? ''}\0${template ?? ''}`;
    let subject = this.known.get(name);
    if (subject === undefined) {
      if (this.known.size >= MOST_SUBJECTS) return attributesOf(service, backend, site && OTHER, template && OTHER);
      this.known.set(name, (subject = attributesOf(service, backend, site, template)));
    }
    return subject;
  }

  private templateOfAll(keys: readonly string[]): string | undefined {
    try {
      const templates = new Set(keys.map(this.templateOf).filter((template) => template !== undefined));
      return templates.size === 0 ? undefined : [...templates].toSorted().join(' + ');
    } catch {
      return undefined;
    }
  }
}

function attributesOf(service: string, system: string, site?: string, template?: string): Attributes {
  return {
    'lock.system': system,
    'lock.service': service,
    ...(site !== undefined && { 'lock.site': site }),
    ...(template !== undefined && { 'lock.key.template': template }),
  };
}

/** Why somebody did not get a lock, in few words. The message of an error names keys and servers. */
export function refusalOf(error: unknown): string {
  // Whoever aborts gives any reason at all.
  if (!isLockError(error)) return 'aborted';
  switch (error.code) {
    case 'LOCK_UNAVAILABLE':
    case 'LOCK_LOST':
      return String((error as { readonly reason?: unknown }).reason);
    case 'LOCK_BACKEND':
      return 'backend';
    case 'LOCK_REENTRANCY':
      return 'reentrancy';
    case 'LOCK_CONFIG':
      return 'config';
  }
}
