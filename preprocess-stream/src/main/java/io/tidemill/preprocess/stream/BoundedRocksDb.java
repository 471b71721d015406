package io.tidemill.preprocess.stream;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * One memory budget for all RocksDB stores of this process: blocks, indexes, filters and write buffers share one cache.
 *
 * <p>Kafka Streams makes its own of these per store, 50 MiB of cache and up to 48 MiB of write buffers each. The budget
 * is native memory, lives as long as the process, and is set once by {@link #BUDGET_BYTES} of the first application.
 * Source: Kafka Streams developer guide, "Memory management", section RocksDB.
 */
public final class BoundedRocksDb implements RocksDBConfigSetter {
    /** Key in the application's settings; bytes. */
    public static final String BUDGET_BYTES = "preprocess.rocksdb.memory-bytes";

    private static final long WRITE_BUFFER_BYTES = 1 << 20;
    private static Cache cache;
    private static WriteBufferManager writeBuffers;
    private static BloomFilter filter;

    /** Called by Kafka Streams for each store. */
    public BoundedRocksDb() {}

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        share(((Number) configs.getOrDefault(BUDGET_BYTES, 32L << 20)).longValue());
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(cache);
        table.setCacheIndexAndFilterBlocks(true);
        table.setPinTopLevelIndexAndFilter(true);
        table.setFilterPolicy(filter);
        options.setTableFormatConfig(table);
        options.setWriteBufferManager(writeBuffers);
        options.setWriteBufferSize(WRITE_BUFFER_BYTES);
        options.setMaxWriteBufferNumber(2);
        options.setMaxOpenFiles(128);
        options.setKeepLogFileNum(1);
        options.setStatsDumpPeriodSec(0);
    }

    private static synchronized void share(long budgetBytes) {
        if (cache == null) {
            RocksDB.loadLibrary();
            cache = new LRUCache(budgetBytes);
            writeBuffers = new WriteBufferManager(budgetBytes / 2, cache);
            filter = new BloomFilter();
        }
    }

    /** Closes nothing: what a store uses here is shared by the others. */
    @Override
    public void close(String storeName, Options options) {}
}
