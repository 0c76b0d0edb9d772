import { describe, expect, it } from '@jest/globals';
import {
  applyDecorators,
  Body,
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
} from '@nestjs/common';
import {
  Get,
  Header,
  HttpCode,
  Injectable,
  type NestInterceptor,
  Param,
  ParseIntPipe,
  Post,
  Query,
} from '@nestjs/common';
import { SetMetadata, UseGuards, UseInterceptors } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Cron, CronExpression, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { ApiOperation, ApiProperty, ApiTags, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { map, type Observable } from 'rxjs';
import { Locked, LockModule, LockService } from 'nestjs-locked';
import { line, nobody, Room, serve, start, until } from './apps.js';

const Role = (role: string): MethodDecorator => SetMetadata('role', role);

@Injectable()
class RoleGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const role: string | undefined = this.reflector.get('role', context.getHandler());
    return role === context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-role'];
  }
}

@Injectable()
class Exclaim implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<string> {
    return next.handle().pipe(map((value: string) => `${value}!`));
  }
}

class Item {
  @ApiProperty()
  name!: string;
}

const keyOf = (id: number): string => `order:${id}`;
const LockedAdmin = (): MethodDecorator =>
  applyDecorators(Role('admin'), Locked(keyOf), UseGuards(RoleGuard), HttpCode(202));

@Controller('orders')
class OrdersController {
  @Locked(keyOf)
  @Get('above/:id')
  @Role('admin')
  @UseGuards(RoleGuard)
  @UseInterceptors(Exclaim)
  @Header('x-below', 'yes')
  async above(@Param('id', ParseIntPipe) id: number, @Query('q') q: string): Promise<string> {
    return `${typeof id} ${id} ${q} ${LockService.current()?.key}`;
  }

  @Get('below/:id')
  @Role('admin')
  @UseGuards(RoleGuard)
  @UseInterceptors(Exclaim)
  @Header('x-below', 'yes')
  @Locked(keyOf)
  async below(@Param('id', ParseIntPipe) id: number, @Query('q') q: string): Promise<string> {
    return `${typeof id} ${id} ${q} ${LockService.current()?.key}`;
  }

  @Post('applied/:id')
  @LockedAdmin()
  async applied(@Param('id', ParseIntPipe) id: number): Promise<string> {
    return `${id} ${LockService.current()?.key}`;
  }

  @Locked((id: number, item: Item) => `${id}:${item.name}`)
  @Post('documented/:id')
  @ApiOperation({ summary: 'Below' })
  async documented(@Param('id', ParseIntPipe) id: number, @Body() item: Item): Promise<Item> {
    return { name: `${item.name} ${id}` };
  }
}

const Tagged = ApiTags('tagged');
Tagged(OrdersController);

describe('what else is said about a locked handler', () => {
  it.each(['above', 'below'])(
    'guards, pipes, params, headers, interceptors and metadata, with @Locked %s',
    async (where) => {
      const get = await serve({ imports: [LockModule.forRoot()], controllers: [OrdersController] });
      const admin = { headers: { 'x-role': 'admin' } };
      const answer = await get(`/orders/${where}/7?q=x`, admin);
      expect([answer.status, answer.headers.get('x-below'), await answer.text()]).toEqual([
        200,
        'yes',
        'number 7 x order:7!',
      ]);
      expect((await get(`/orders/${where}/7`)).status).toBe(403);
      expect((await get(`/orders/${where}/seven`, admin)).status).toBe(400);
      expect(await line(get.app.get(LockService), 'order:7')).toEqual(nobody);
    },
  );

  it('all of it by applyDecorators', async () => {
    const ask = await serve({ imports: [LockModule.forRoot()], controllers: [OrdersController] });
    const answer = await ask('/orders/applied/7', { method: 'POST', headers: { 'x-role': 'admin' } });
    expect([answer.status, await answer.text()]).toEqual([202, '7 order:7']);
    expect((await ask('/orders/applied/7', { method: 'POST' })).status).toBe(403);
  });

  it('names, parameters and bodies in a swagger document', async () => {
    const { app } = await serve({ imports: [LockModule.forRoot()], controllers: [OrdersController] });
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const operation = document.paths['/orders/documented/{id}']?.post;
    expect(operation).toMatchObject({
      operationId: 'OrdersController_documented',
      summary: 'Below',
      tags: ['tagged'],
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'number' } }],
      requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Item' } } } },
    });
  });
});

describe('a scheduled job', () => {
  const room = new Room();

  @Injectable()
  class Jobs {
    @Locked('job')
    @Cron(CronExpression.EVERY_SECOND, { name: 'above' })
    async lockedAbove(): Promise<void> {
      await room.stay();
    }

    @Cron(CronExpression.EVERY_SECOND, { name: 'below' })
    @Locked('job')
    async lockedBelow(): Promise<void> {
      await room.stay();
    }
  }

  it('runs locked, with @Cron above and below', async () => {
    const app = await start({ imports: [LockModule.forRoot(), ScheduleModule.forRoot()], providers: [Jobs] });
    const jobs = app.get(SchedulerRegistry).getCronJobs();
    expect([...jobs.keys()].toSorted()).toEqual(['above', 'below']);
    await until(async () => (await line(app.get(LockService), 'job')).waiters > 0);
    expect(room.inside).toBe(1);
    room.open();
    await until(() => room.visits >= 2);
    expect(room.most).toBe(1);
  });
});
