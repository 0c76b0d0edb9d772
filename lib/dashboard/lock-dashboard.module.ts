import {
  Controller,
  type DynamicModule,
  Inject,
  Module,
  type OnModuleInit,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { LockDashboardController } from './lock-dashboard.controller.js';
import { LockDashboard } from './lock-dashboard.js';
import {
  type LockDashboardOptions,
  type Mounting,
  readDashboardOptions,
  refuseOpenProduction,
} from './lock-dashboard.options.js';

const MOUNTING = 'LOCK_DASHBOARD_MOUNTING';

/**
 * A page that shows the locks of an application as they are now, over all its LockModules, and can take them away from
 * whoever holds them. Nothing of it is there unless it is imported.
 *
 * The lines are those of the backends, whoever stands in them. What has been (timeline, hottest keys, losses) is what this
 * process was part of in the last minutes.
 */
@Module({})
export class LockDashboardModule implements OnModuleInit {
  constructor(@Inject(MOUNTING) private readonly mounting: Mounting) {}

  /**
   * Mounts the page at `path`.
   *
   * @throws LockConfigError for an option that cannot be; at start-up, where NODE_ENV is `production` and neither `guard` nor
   * `insecure: true` is given, or no LockModule is imported.
   */
  static forRoot(options: LockDashboardOptions = {}): DynamicModule {
    const mounting = readDashboardOptions(options);
    return {
      module: LockDashboardModule,
      imports: mounting.imports,
      controllers: [controllerAt(mounting)],
      providers: [LockDashboard, { provide: MOUNTING, useValue: mounting }],
    };
  }

  onModuleInit(): void {
    refuseOpenProduction(this.mounting);
  }
}

/** A class of its own, since path and guards belong to the class, and there may be two pages. */
function controllerAt({ path, guards }: Mounting): typeof LockDashboardController {
  const AtPath = class extends LockDashboardController {};
  Controller({ path, version: VERSION_NEUTRAL })(AtPath);
  UseGuards(...guards)(AtPath);
  return AtPath;
}
