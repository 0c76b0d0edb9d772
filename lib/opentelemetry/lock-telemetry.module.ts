import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type LockTelemetryOptions } from './lock-telemetry.options.js';
import { observeLocks } from './observe-locks.js';

const LOCK_TELEMETRY_OPTIONS = 'LOCK_TELEMETRY_OPTIONS';

/** Observes from when the application is built until it has shut down. */
@Injectable()
class LockObservation implements OnApplicationShutdown {
  private readonly stop: () => void;

  constructor(@Inject(LOCK_TELEMETRY_OPTIONS) options: LockTelemetryOptions) {
    this.stop = observeLocks(options);
  }

  onApplicationShutdown(): void {
    this.stop();
  }
}

/**
 * Metrics and traces of all locks of the process, by the OpenTelemetry SDK that is registered: import it once, beside LockModule, in
 * an application that starts its SDK before it is built. All lock services are observed, those of other names and those
 * without Nest included; see `observeLocks`.
 *
 * Keys are in none of it, for there is no end of them: locks are told apart by `lock.service`, `lock.system`, the
 * `lock.site` that asks (`Orders.ship`), and a `lock.key.template` where `keyTemplate` makes one. From the 201st different
 * combination on, the latter two are `_OTHER`.
 */
@Module({})
export class LockTelemetryModule {
  /** @throws LockConfigError, at start-up, when locks are observed already with another `keyTemplate`. */
  static forRoot(options: LockTelemetryOptions = {}): DynamicModule {
    return {
      module: LockTelemetryModule,
      // Nothing of it is injected anywhere: Nest shuts global modules down last, when all locks are let go.
      global: true,
      providers: [{ provide: LOCK_TELEMETRY_OPTIONS, useValue: options }, LockObservation],
    };
  }
}
