// The types of undici name its classes by the index alone.
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici'
}
