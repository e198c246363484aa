// Preloaded into every process of the product (NODE_OPTIONS=--import): moves its clock by the number of
// milliseconds that stands in the file DATE_SHIFT_FILE. The file is read at each look at the clock, so a test
// moves all processes at once, without a restart. The embedded database runs in one of them and reads the same clock.
// Timers keep running on the real clock.
import { readFileSync } from 'node:fs'

const file = process.env.DATE_SHIFT_FILE
if (file !== undefined) {
  const RealDate = Date
  const now = () => RealDate.now() + Number(readFileSync(file, 'utf8'))

  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, property, receiver) => (property === 'now' ? now : Reflect.get(target, property, receiver)),
  })
}
