import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { LockConfigError } from '../core/errors.js';
import { importedLockModules, type ImportedLockModule } from './lock-modules.js';
import { getLockServiceToken, howToImport } from './lock-service.token.js';
import { lockedMetadata } from './locked.metadata.js';

type NestModule = NonNullable<ReturnType<ModulesContainer['get']>>;

/**
 * Looks at start-up for what would fail at the first call, or lock differently than it seems, and reports all of it at
 * once. Locking itself needs nothing of this.
 */
@Injectable()
export class LockedExplorer implements OnModuleInit {
  private readonly scanner = new MetadataScanner();

  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    const problems = [...new Set([...this.ambiguities(), ...this.missingServices()])];
    if (problems.length > 0) throw new LockConfigError(problems.join('\n'));
  }

  private *ambiguities(): Iterable<string> {
    const imported = importedLockModules(this.modules);
    for (const [name, [first, ...others]] of groupedByName(imported)) {
      const { backend } = first!.options;
      if (others.every(({ options }) => backend !== undefined && options.backend === backend)) continue;
      yield (
        `LockModule '${name}' is imported twice with different backends, and the two would not lock against each other: ` +
        'import it once, give one of them another name, or both the same backend'
      );
    }
    const answers = new Set(imported.flatMap(({ options }) => options.answerError ?? []));
    if (answers.size > 1) yield 'answerError is given by several LockModules, and one application has one';
  }

  private *missingServices(): Iterable<string> {
    const names = importedLockModules(this.modules).map(({ name }) => `'${name}'`);
    for (const module of this.modules.values()) {
      for (const [place, service] of this.lockedMethods(module)) {
        if (sees(module, getLockServiceToken(service))) continue;
        yield names.includes(`'${service}'`)
          ? `${place} cannot see the lock service '${service}': ${module.name} must import its LockModule, or that be global`
          : `${place} asks for the lock service '${service}', and there is ${names.join(', ') || 'none'}: ` +
            `import ${howToImport(service)}`;
      }
    }
  }

  /** Of the classes that Nest builds, with the service that each asks for. */
  private *lockedMethods(module: NestModule): Iterable<[place: string, service: string]> {
    for (const wrapper of [...module.controllers.values(), ...module.providers.values()]) {
      if (wrapper.isNotMetatype || typeof wrapper.metatype !== 'function') continue;
      const prototype = wrapper.metatype.prototype as Record<string, object> | undefined;
      for (const name of this.scanner.getAllMethodNames(prototype ?? null)) {
        for (const { service } of lockedMetadata(prototype![name]!)) {
          yield [`${wrapper.metatype.name}.${name}`, service];
        }
      }
    }
  }
}

function groupedByName(imported: readonly ImportedLockModule[]): Map<string, ImportedLockModule[]> {
  const groups = new Map<string, ImportedLockModule[]>();
  for (const module of imported) groups.set(module.name, [...(groups.get(module.name) ?? []), module]);
  return groups;
}

/** Whether the injector would find the token from within the module. Global modules are among the imports of all others. */
function sees(module: NestModule, token: ReturnType<typeof getLockServiceToken>): boolean {
  return module.providers.has(token) || [...module.imports].some((imported) => offers(imported, token, new Set()));
}

function offers(module: NestModule, token: ReturnType<typeof getLockServiceToken>, asked: Set<NestModule>): boolean {
  if (asked.has(module)) return false;
  asked.add(module);
  if (module.exports.has(token) && module.providers.has(token)) return true;
  return [...module.imports].some((other) => module.exports.has(other.metatype) && offers(other, token, asked));
}
