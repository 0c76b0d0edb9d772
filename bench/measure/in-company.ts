/** So many at a time: a burst of all of them would measure buffers that fill. */
const COMPANY = 200;

export async function inCompany(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index += COMPANY) {
    const company = Array.from({ length: Math.min(COMPANY, count - index) }, (_, each) => index + each);
    await Promise.all(company.map(work));
  }
}
