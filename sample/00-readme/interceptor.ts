import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Controller, Post, Req, UseGuards, UseInterceptors } from '@nestjs/common';
import { LockInterceptor } from 'nestjs-locked';
import { Balances } from './balances.js';

interface UserRequest {
  user: { id: string };
  readonly headers: Readonly<Record<string, string>>;
}

@Injectable()
export class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<UserRequest>();
    request.user = { id: request.headers['x-user'] ?? 'nobody' };
    return true;
  }
}

// #region interceptor
const cartOf = (context: ExecutionContext) => `cart:${context.switchToHttp().getRequest<UserRequest>().user.id}`;

@Controller('cart')
@UseGuards(UserGuard)
export class CartController {
  constructor(private readonly carts: Balances) {}

  @Post('items')
  @UseInterceptors(LockInterceptor(cartOf, { waitMs: 2_000 }))
  async addItem(@Req() { user }: UserRequest): Promise<number> {
    const items = (await this.carts.read(user.id)) + 1;
    await this.carts.write(user.id, items);
    return items;
  }
}
// #endregion
