export type { BackendFixture, SkippedTest } from './backend-fixture.js';
export { seededChance } from './chance.js';
export { type CaseInMode, conformanceCases } from './conformance-cases.js';
export {
  type ConformanceResult,
  type ConformanceSelection,
  planConformance,
  type PlannedCase,
  runConformance,
} from './conformance-run.js';
export { describeBackendConformance, type TestRunner } from './describe-backend-conformance.js';
export {
  always,
  type Fault,
  type FaultPlan,
  type FaultRates,
  type FaultyCall,
  type FaultyMethod,
  first,
  noFaults,
  randomFaults,
} from './fault-plan.js';
export { FaultyBackend, InjectedFaultError } from './faulty-backend.js';
export { type MutexMode, mutexModes } from './mutex-mode.js';
