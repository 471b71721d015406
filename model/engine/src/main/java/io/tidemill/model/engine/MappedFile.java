package io.tidemill.model.engine;

import java.io.EOFException;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file read through memory mapping, a window at a time: bytes go from the page cache to where they are needed without
 * a copy between. A window is unmapped when the next is mapped or the file is closed, not when the collector comes by:
 * until then a deleted file keeps its disk space.
 */
final class MappedFile implements ByteSource {
    private static final long WINDOW_BYTES = 64 << 20;
    private static final Unmapper UNMAPPER = Unmapper.find();

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private MappedByteBuffer window;
    private long windowAt;

    MappedFile(Path path) throws IOException {
        this.path = path;
        this.channel = FileChannel.open(path, StandardOpenOption.READ);
        this.size = channel.size();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public ByteBuffer at(long from, int count) throws IOException {
        // Reading mapped bytes that are no longer there faults, at a time and place of the JVM's choosing.
        if (from + count > channel.size()) {
            throw new EOFException(path + " has become shorter, " + channel.size() + " bytes, while it was read");
        }
        if (window == null || from < windowAt || from + count > windowAt + window.capacity()) {
            unmap();
            window = channel.map(MapMode.READ_ONLY, from, Math.min(Math.max(count, WINDOW_BYTES), size - from));
            windowAt = from;
        }
        return window.slice((int) (from - windowAt), count).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void unmap() {
        if (window != null) {
            UNMAPPER.unmap(window);
            window = null;
        }
    }

    @Override
    public void close() throws IOException {
        unmap();
        channel.close();
    }

    /** The JDK offers this in {@code jdk.unsupported} alone; without it the collector unmaps. */
    private record Unmapper(Object unsafe, Method invokeCleaner) {
        static Unmapper find() {
            try {
                Class<?> type = Class.forName("sun.misc.Unsafe");
                Field instance = type.getDeclaredField("theUnsafe");
                instance.setAccessible(true);
                return new Unmapper(instance.get(null), type.getMethod("invokeCleaner", ByteBuffer.class));
            } catch (ReflectiveOperationException | RuntimeException absent) {
                return new Unmapper(null, null);
            }
        }

        void unmap(MappedByteBuffer buffer) {
            if (invokeCleaner == null) {
                return;
            }
            try {
                invokeCleaner.invoke(unsafe, buffer);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
