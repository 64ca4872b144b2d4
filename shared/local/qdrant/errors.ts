/** An error that is answered with this status, in Qdrant's form. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function wrongInput(message: string): RequestError {
  return new RequestError(400, `Wrong input: ${message}`);
}

export function noCollection(name: string): RequestError {
  return new RequestError(404, `Not found: Collection \`${name}\` doesn't exist!`);
}
