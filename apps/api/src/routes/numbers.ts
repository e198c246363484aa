import { correctNumbersRequestSchema } from '@vertexsms/contract/rest'
import { noSuch } from '../http/api-error.ts'
import { countryParam, idParam, pageQuery, parse } from '../http/parse.ts'
import type { Routes } from './route-options.ts'

function found<Value>(value: Value | undefined, what: 'operator' | 'country'): Value {
  if (value === undefined) throw noSuch(what)
  return value
}

/** `GET /operators/{id}`, `GET /mccmnc/{country}`, `GET /prefixes/{country}` and `POST /numbers/correct`. */
export const numberRoutes: Routes = (app, { upstream }) => {
  app.get('/operators/:id', async (request) =>
    found(await upstream.operator(request.token, Number(idParam(request.params, 'operator'))), 'operator'),
  )

  app.get('/mccmnc/:country', async (request) =>
    found(await upstream.mccMnc(request.token, countryParam(request.params), pageQuery(request.query)), 'country'),
  )

  app.get('/prefixes/:country', async (request) =>
    found(await upstream.prefixes(request.token, countryParam(request.params), pageQuery(request.query)), 'country'),
  )

  app.post('/numbers/correct', async (request) =>
    upstream.correctNumbers(request.token, parse(correctNumbersRequestSchema, request.body)),
  )
}
