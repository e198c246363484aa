/** Slots of one table; more requests than this cannot be under way at once. */
const SLOTS_MAX = 2 ** 20
/** Stands where no number stands; numbers begin above the first generation. */
const FREE = 0
const GENERATIONS_MAX = Number.MAX_SAFE_INTEGER / SLOTS_MAX - 1

/**
 * Values under numbers that are given out once: the place is used again, the number is not, so whoever still holds the
 * number of a past value finds nothing.
 *
 * Not a Map, because keys that are always new make a Map build its table anew every few dozen of them, and in V8 a dead
 * table that has reached the old generation keeps its successors alive, with all they hold, until the next full collection.
 */
export class Slots<Value> {
  readonly #values: (Value | undefined)[] = []
  readonly #numbers: number[] = []
  readonly #free: number[] = []
  #generation = 0

  /** How many values there are. */
  get size(): number {
    return this.#values.length - this.#free.length
  }

  /** Keeps a value and tells its number. Throws when every slot is taken. */
  add(value: Value): number {
    const slot = this.#free.pop() ?? this.#values.length
    if (slot === SLOTS_MAX) throw new Error('Too many requests are under way')
    this.#generation = this.#generation >= GENERATIONS_MAX ? 1 : this.#generation + 1
    const number = this.#generation * SLOTS_MAX + slot
    this.#values[slot] = value
    this.#numbers[slot] = number
    return number
  }

  /** The value of a number; undefined once it is deleted. */
  get(number: number): Value | undefined {
    const slot = number % SLOTS_MAX
    return this.#numbers[slot] === number ? this.#values[slot] : undefined
  }

  /** Forgets a value; false when there was none. */
  delete(number: number): boolean {
    const slot = number % SLOTS_MAX
    if (number === FREE || this.#numbers[slot] !== number) return false
    this.#values[slot] = undefined
    this.#numbers[slot] = FREE
    this.#free.push(slot)
    return true
  }
}
