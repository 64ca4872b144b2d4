import type { Collection } from './collection.js';

/** What the API says of a collection; settings that mean nothing here have the values that Qdrant starts with. */
export function describeCollection({ config, indexes, points }: Collection): unknown {
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: 0,
    points_count: points.count,
    segments_count: 1,
    config: {
      params: {
        vectors: config.vectors,
        sparse_vectors: config.sparse_vectors,
        shard_number: 1,
        replication_factor: 1,
        write_consistency_factor: 1,
        on_disk_payload: true,
      },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000, max_indexing_threads: 0 },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1_000,
        default_segment_number: 0,
        flush_interval_sec: 5,
      },
    },
    payload_schema: Object.fromEntries(
      Object.entries(indexes).map(([field, schema]) => [field, { data_type: schema, points: points.count }]),
    ),
  };
}
