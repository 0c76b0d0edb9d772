import { type LockService } from 'nestjs-locked';

export interface Database {
  query(sql: string, values: readonly unknown[]): Promise<{ readonly rowCount: number }>;
}

// #region fencing
export async function publish(locks: LockService, db: Database, id: string, body: string): Promise<void> {
  await locks.run(`document:${id}`, async (lock) => {
    const update = 'UPDATE document SET body = $1, fence = $2 WHERE id = $3 AND fence <= $2';
    const { rowCount } = await db.query(update, [body, lock.fencingToken, id]);
    if (rowCount === 0) throw new Error(`${id} is gone, or somebody wrote it under a newer lock`);
  });
}
// #endregion

// #region signal
export async function announce(locks: LockService, url: string): Promise<number> {
  return locks.run('announcement', async (lock) => {
    const { status } = await fetch(url, { method: 'POST', signal: lock.signal }); // stops when the lock is lost
    return status;
  });
}
// #endregion
