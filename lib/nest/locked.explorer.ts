import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { LockConfigError } from '../core/errors.js';
import { importedLockModules, type ImportedLockModule } from './lock-modules.js';
import { lockServiceOf } from './lock-service.property.js';
import { getLockServiceToken, howToImport } from './lock-service.token.js';
import { declarationsOf, lineageOf, type LockedDeclaration, takeUnseenPrototypes } from './locked.declarations.js';
import { lockedMethodsOf, type Provided, providedBy, sees } from './provided.js';

/**
 * Looks at start-up for what would fail at the first call, and throws all of it at once; and for what may lock otherwise
 * than it seems, and warns of all of it at once. Locking itself needs nothing of this.
 */
@Injectable()
export class LockedExplorer implements OnModuleInit {
  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    const provided = [...this.modules.values()].flatMap((module) => [...providedBy(module)]);
    const doubts = new Set([...droppedIn(provided), ...providedNowhere(provided)]);
    if (doubts.size > 0) new Logger('LockModule').warn([...doubts].join('\n'));
    const imported = importedLockModules(this.modules);
    const problems = new Set([
      ...requestScoped(imported),
      ...ambiguitiesOf(imported),
      ...problemsOf(provided, imported),
    ]);
    if (problems.size > 0) throw new LockConfigError([...problems].join('\n'));
  }
}

function* requestScoped(imported: readonly ImportedLockModule[]): Iterable<string> {
  for (const { name, isRequestScoped } of imported) {
    if (!isRequestScoped) continue;
    yield `LockModule '${name}' would be made for each request anew, and lock nobody out: inject nothing request-scoped into its options`;
  }
}

function* ambiguitiesOf(imported: readonly ImportedLockModule[]): Iterable<string> {
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

function* problemsOf(all: readonly Provided[], imported: readonly ImportedLockModule[]): Iterable<string> {
  for (const provided of all) {
    for (const { locked, owner, declarer } of lockedMethodsOf(provided.object)) {
      if (locked.problem !== undefined) yield locked.problem.message;
      else if (owner !== declarer) continue;
      else if (!provided.builtByNest) yield* instanceProblem(provided, locked);
      else if (!sees(provided.module, getLockServiceToken(locked.service))) {
        yield serviceProblem(provided, locked, imported);
      }
    }
  }
}

function serviceProblem(
  { module }: Provided,
  { place, service }: LockedDeclaration,
  imported: readonly ImportedLockModule[],
): string {
  if (imported.some(({ name }) => name === service)) {
    return `${place} cannot see the lock service '${service}': ${module.name} must import its LockModule, or that be global`;
  }
  const names = imported.map(({ name }) => `'${name}'`);
  return (
    `${place} asks for the lock service '${service}', and there is ${names.join(', ') || 'none'}: ` +
    `import ${howToImport(service)}`
  );
}

/** Of an object from a factory or a value. One that a factory had from Nest has its lock service. */
function* instanceProblem({ name, object }: Provided, { place, service }: LockedDeclaration): Iterable<string> {
  if (lockServiceOf(object, service) !== undefined) return;
  yield (
    `${place} is @Locked, and the instance that is provided as ${name} was not built by Nest (useFactory, useValue), so ` +
    'that every call would fail: provide the class itself, or call LockService.run instead of decorating'
  );
}

function* droppedIn(all: readonly Provided[]): Iterable<string> {
  for (const { object } of all) {
    for (const { locked, owner, declarer } of lockedMethodsOf(object)) {
      // An own property of an instance is a stub of a test.
      if (owner === declarer || owner === undefined || !Object.hasOwn(owner, 'constructor')) continue;
      if (declarationsOf(owner).some(({ name }) => name === locked.name)) continue;
      yield (
        `${owner.constructor.name}.${String(locked.name)} overrides ${locked.place}, which is @Locked, and is not @Locked ` +
        'itself: it locks only where it calls super. Decorate it, too, or give it another name'
      );
    }
  }
}

function* providedNowhere(all: readonly Provided[]): Iterable<string> {
  const provided = new Set(all.flatMap(({ object }) => [...lineageOf(object)]));
  for (const prototype of takeUnseenPrototypes()) {
    if (provided.has(prototype)) continue;
    const places = declarationsOf(prototype).map(({ place }) => place);
    yield (
      `${[...new Set(places)].join(', ')}: @Locked in a class that no module of this application provides. Where ` +
      'an instance is made by new, it has no lock service, and its calls fail: add the class to the providers or controllers of a module, ' +
      'or have ModuleRef.create make the instance'
    );
  }
}

function groupedByName(imported: readonly ImportedLockModule[]): Map<string, ImportedLockModule[]> {
  const groups = new Map<string, ImportedLockModule[]>();
  for (const module of imported) groups.set(module.name, [...(groups.get(module.name) ?? []), module]);
  return groups;
}
