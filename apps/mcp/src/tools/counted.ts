/** How many of a thing there are, in words: `1 part`, `2 parts`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
