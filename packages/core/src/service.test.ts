import { take } from 'rxjs';
import { expect, it } from 'vitest';
import { type PublishedService, ServiceDirectory, serviceClass } from './service.ts';

interface Lamp {
  readonly on: boolean;
}
const LAMP = serviceClass<Lamp>('lamp');
const FAN = serviceClass<{ readonly rpm: number }>('fan');

function setUp() {
  const directory = new ServiceDirectory();
  const names = () => directory.list().map(({ name }) => name);
  return { directory, names };
}

it('hands out what was published, by class and name', () => {
  const { directory, names } = setUp();
  const lamp = { on: true };
  directory.publish(LAMP, 'left', lamp);
  directory.publish(FAN, 'left', { rpm: 900 });
  expect(directory.get(LAMP, 'left')).toBe(lamp);
  expect(directory.get(FAN, 'left').rpm).toBe(900);
  expect(names()).toEqual(['left', 'left']);
});

it('says what there is when something is asked for that is not', () => {
  const { directory } = setUp();
  expect(() => directory.get(LAMP, 'left')).toThrow('no lamp named left; there is: nothing');
  directory.publish(FAN, 'rear', { rpm: 900 });
  expect(() => directory.get(LAMP, 'left')).toThrow('no lamp named left; there is: fan rear');
  expect(() => directory.get(LAMP, 'left')).toThrow(expect.objectContaining({ code: 'not-found' }));
});

it('gives a name once, and anew after it was withdrawn', async () => {
  const { directory, names } = setUp();
  const withdraw = directory.publish(LAMP, 'left', { on: true });
  expect(() => directory.publish(LAMP, 'left', { on: false })).toThrow(expect.objectContaining({ code: 'busy' }));
  const [published] = directory.list();
  withdraw('unscrewed');
  expect(await published?.withdrawn).toBe('unscrewed');
  expect(names()).toEqual([]);
  directory.publish(LAMP, 'left', { on: false });
  withdraw('a second time');
  expect(directory.get(LAMP, 'left').on).toBe(false);
});

it('shows what is there, then what comes', () => {
  const { directory } = setUp();
  const seen: string[] = [];
  directory.publish(LAMP, 'first', { on: true });
  const withdraw = directory.publish(LAMP, 'second', { on: true });
  withdraw('unscrewed');
  const subscription = directory.services$.subscribe(({ name }) => seen.push(name));
  directory.publish(LAMP, 'third', { on: true });
  subscription.unsubscribe();
  directory.publish(LAMP, 'fourth', { on: true });
  expect(seen).toEqual(['first', 'third']);
});

it('shows each service once to who publishes another while looking', () => {
  const { directory } = setUp();
  const seen: string[] = [];
  directory.publish(LAMP, 'first', { on: true });
  directory.services$.subscribe(({ name }) => {
    seen.push(name);
    if (name === 'first') directory.publish(LAMP, 'second', { on: true });
  });
  expect(seen).toEqual(['first', 'second']);
});

it('lets go of a subscriber that has seen enough', () => {
  const { directory } = setUp();
  const seen: PublishedService[] = [];
  directory.publish(LAMP, 'first', { on: true });
  directory.services$.pipe(take(1)).subscribe((service) => seen.push(service));
  directory.publish(LAMP, 'second', { on: true });
  expect(seen.map(({ name }) => name)).toEqual(['first']);
});
