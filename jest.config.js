const shared = {
  testEnvironment: 'node',
  // Native ES modules: NestJS 12 is published as nothing else.
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        module: { type: 'es6' },
        sourceMaps: 'inline',
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
        },
      },
    ],
  },
  moduleNameMapper: {
    '^nestjs-locked$': '<rootDir>/lib/index.ts',
    '^nestjs-locked/([\\w/-]+)$': '<rootDir>/lib/$1/index.ts',
    // The source says `./lock.js`, as Node wants it, and has `./lock.ts`. Packages have what they say.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
};

// Where paths of specs begin that need no server and no patience.
const unit = ['core/', 'memory/', 'nest/', 'testing/', 'types/', 'conformance/memory'].map(
  (start) => `<rootDir>/test/${start}`,
);

// Node's addons are loaded once per process, and ZooKeeper's driver is not made for the many worlds that jest makes in one.
const zookeeper = ['zookeeper/', 'conformance/zookeeper'].map((start) => `<rootDir>/test/${start}`);

/** @type {import('jest').Config} */
export default {
  // A hang ends the test; a busy machine does not.
  testTimeout: 60_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: specsOf(unit),
    },
    { ...shared, displayName: 'zookeeper', testMatch: specsOf(zookeeper) },
    // Everything else, so that no spec is in neither.
    {
      ...shared,
      displayName: 'system',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      testPathIgnorePatterns: [...unit, ...zookeeper],
    },
  ],
};

function specsOf(starts) {
  return starts.flatMap((start) => [`${start}*.spec.ts`, `${start}*/**/*.spec.ts`]);
}
