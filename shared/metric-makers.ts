import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** See {@link makersIn}. */
export type Makers = ReturnType<typeof makersIn>;

/** What makes metrics in a registry, under the names of the product. */
export function makersIn(registry: Registry) {
  const registers = [registry];
  const full = (name: string): string => `millrace_${name}`;
  return {
    counter: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Counter({ name: full(name), help, labelNames, registers }),
    gauge: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Gauge({ name: full(name), help, labelNames, registers }),
    histogram: <L extends string>(
      name: string,
      help: string,
      { buckets, labels }: { buckets: number[]; labels: L[] },
    ) => new Histogram({ name: full(name), help, labelNames: labels, buckets, registers }),
  };
}
