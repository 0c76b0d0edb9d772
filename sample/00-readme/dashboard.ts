// #region dashboard
import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { LockDashboardModule } from 'nestjs-locked/dashboard';

@Injectable()
export class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { user } = context.switchToHttp().getRequest<{ user?: { roles: string[] } }>();
    return user?.roles.includes('operator') === true;
  }
}

@Module({ imports: [LockModule.forRoot(), LockDashboardModule.forRoot({ path: '/locks', guard: OperatorGuard })] })
export class OperatedModule {}
// #endregion
