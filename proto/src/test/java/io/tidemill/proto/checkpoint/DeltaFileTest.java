package io.tidemill.proto.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeltaFileTest {
    private static final long NO_LIMIT = Long.MAX_VALUE;

    @TempDir
    Path directory;

    private Path base;
    private Path result;
    private Path delta;
    private Path target;

    @BeforeEach
    void names() {
        base = directory.resolve("base");
        result = directory.resolve("result");
        delta = directory.resolve("delta");
        target = directory.resolve("target");
    }

    @Test
    void whateverChangedIsRestoredBitForBit() throws IOException {
        int[] lengths = {
            0, 1, ChangedBlock.BYTES - 1, ChangedBlock.BYTES, ChangedBlock.BYTES + 1, 3 * ChangedBlock.BYTES
        };
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            byte[] before = new byte[seed % 2 == 0 ? lengths[seed / 2 % lengths.length] : random.nextInt(200_000)];
            random.nextBytes(before);
            byte[] after = changed(before, random);
            assertThat(writes(before, after, NO_LIMIT)).as("seed %d", seed).isTrue();
            DeltaFile.restore(delta, base, target, digest(result));
            assertThat(Files.readAllBytes(target)).as("seed %d", seed).isEqualTo(after);
            Files.delete(target);
        }
    }

    @Test
    void everyFormRestoresEveryBlock() throws IOException {
        Deflater deflater = new Deflater(6, true);
        Inflater inflater = new Inflater(true);
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            byte[] before = new byte[random.nextInt(5) == 0 ? random.nextInt(9) : random.nextInt(ChangedBlock.BYTES)];
            random.nextBytes(before);
            byte[] after = changed(before, random);
            for (ChangedBlock form : ChangedBlock.FORMS) {
                byte[] told = form.write(before, after, before.length, deflater);
                byte[] block = before.clone();
                form.restore(told, block, block.length, inflater);
                assertThat(Arrays.equals(block, after))
                        .as("seed %d, %s", seed, form)
                        .isTrue();
            }
        }
    }

    /** Nothing, few bytes, a share of the 2- or 4-byte values by a little, or all. */
    private static byte[] changed(byte[] before, Random random) {
        byte[] after = before.clone();
        int width = 1 << random.nextInt(3);
        double share = new double[] {0, 0.0001, 0.03, 0.5, 1}[random.nextInt(5)];
        boolean little = random.nextBoolean();
        for (int at = 0; at + width <= after.length; at += width) {
            if (random.nextDouble() < share) {
                if (little) {
                    after[at] += (byte) (random.nextInt(5) - 2);
                } else {
                    after[at + random.nextInt(width)] = (byte) random.nextInt();
                }
            }
        }
        return after;
    }

    @Test
    void everyFormRestoresTheExtremesOfItsRange() throws IOException {
        int[] values = {0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0x7fff_8000, 0x8000_7fff, 0x0080_ff7f};
        ByteBuffer from =
                ByteBuffer.allocate(4 * values.length * values.length + 3).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer to = ByteBuffer.allocate(from.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        for (int one : values) {
            for (int other : values) {
                from.putInt(one);
                to.putInt(other);
            }
        }
        to.put(new byte[] {1, 2, 3});
        for (ChangedBlock form : ChangedBlock.FORMS) {
            byte[] told = form.write(from.array(), to.array(), from.capacity(), new Deflater(6, true));
            byte[] block = from.array().clone();
            form.restore(told, block, block.length, new Inflater(true));
            assertThat(block).as("%s", form).isEqualTo(to.array());
        }
    }

    @Test
    void unchangedBlocksTakeNothingAndASmallChangeTakesLittle() throws IOException {
        byte[] before = new byte[40 * ChangedBlock.BYTES];
        new Random(1).nextBytes(before);
        byte[] after = before.clone();
        assertThat(writes(before, after, NO_LIMIT)).isTrue();
        long nothing = Files.size(delta);
        after[7 * ChangedBlock.BYTES + 1_000] ^= 1;
        assertThat(writes(before, after, NO_LIMIT)).isTrue();
        assertThat(nothing).isEqualTo(128);
        assertThat(Files.size(delta)).isBetween(nothing + 1, nothing + 32);
    }

    /** 3 in 100 values, one up or down: H(0.03) + 0.03 = 0.224 bits a value is what it takes at least; of 16 that is 1.4 %. */
    @Test
    void aChangeOfFewValuesByTheirLastPlaceTakesLittleMoreThanItTells() throws IOException {
        Random random = new Random(2);
        byte[] before = new byte[1 << 20];
        random.nextBytes(before);
        ByteBuffer after = ByteBuffer.wrap(before.clone()).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < before.length; at += 2) {
            if (random.nextInt(100) < 3) {
                after.putShort(at, (short) (after.getShort(at) + (random.nextBoolean() ? 1 : -1)));
            }
        }
        assertThat(writes(before, after.array(), NO_LIMIT)).isTrue();
        assertThat(Files.size(delta)).isBetween(before.length * 14L / 1000, before.length * 18L / 1000);
    }

    @Test
    void theSameFilesGiveTheSameDelta() throws IOException {
        byte[] before = new byte[200_000];
        byte[] after = changed(before, new Random(5));
        writes(before, after, NO_LIMIT);
        byte[] first = Files.readAllBytes(delta);
        writes(before, after, NO_LIMIT);
        assertThat(Files.readAllBytes(delta)).isEqualTo(first);
    }

    @Test
    void whatIsNotWorthItsWhileIsNotWritten() throws IOException {
        byte[] before = new byte[100_000];
        byte[] after = new byte[100_000];
        new Random(3).nextBytes(after);
        assertThat(writes(before, after, 50_000)).isFalse();
        assertThat(delta).doesNotExist();
        assertThat(writes(before, Arrays.copyOf(before, 99_999), NO_LIMIT)).isFalse();
        assertThat(delta).doesNotExist();
        byte[] longer = new byte[50 * ChangedBlock.BYTES];
        new Random(3).nextBytes(longer);
        assertThat(writes(new byte[longer.length], longer, longer.length / 2)).isFalse();
        assertThat(delta).doesNotExist();
    }

    @Test
    void aBaseThatIsNotWhatWasAnnouncedGivesNoDeltaAndSuchAResultIsAnError() throws IOException {
        Files.write(base, new byte[1_000]);
        Files.write(result, new byte[1_000]);
        FileDigest was = digest(base);
        FileDigest becomes = digest(result);
        Files.write(base, new byte[] {1}); // shorter
        assertThat(DeltaFile.write(directory, was, directory, becomes, delta, NO_LIMIT))
                .isFalse();
        byte[] other = new byte[1_000];
        other[999] = 1;
        Files.write(base, other);
        assertThat(DeltaFile.write(directory, was, directory, becomes, delta, NO_LIMIT))
                .isFalse();
        Files.write(base, new byte[1_000]);
        Files.write(result, other);
        assertThatThrownBy(() -> DeltaFile.write(directory, was, directory, becomes, delta, NO_LIMIT))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("digest of result", becomes.getSha256());
        assertThat(delta).doesNotExist();
    }

    @Test
    void everyTruncationAndEveryBitThatChangesIsRefused() throws IOException {
        byte[] before = new byte[ChangedBlock.BYTES + 77];
        Random random = new Random(4);
        random.nextBytes(before);
        byte[] after = before.clone();
        for (int i = 0; i < 40; i++) {
            after[random.nextInt(after.length)]++;
        }
        writes(before, after, NO_LIMIT);
        byte[] whole = Files.readAllBytes(delta);
        for (int length = 0; length < whole.length; length++) {
            assertRefused(Arrays.copyOf(whole, length));
        }
        for (int bit = 0; bit < 8 * whole.length; bit++) {
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            assertRefused(damaged);
        }
        assertRefused(Arrays.copyOf(whole, whole.length + 1));
        Files.write(delta, whole);
        DeltaFile.restore(delta, base, target, digest(result));
    }

    private void assertRefused(byte[] damaged) throws IOException {
        Files.write(delta, damaged);
        assertThatThrownBy(() -> DeltaFile.restore(delta, base, target, digest(result)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("The delta " + delta);
        assertThat(target).doesNotExist();
    }

    @Test
    void anotherBaseAndAnotherResultThanThoseItWasMadeOfAreRefusedByTheirDigests() throws IOException {
        byte[] before = new byte[1_000];
        byte[] after = before.clone();
        after[500] = 1;
        writes(before, after, NO_LIMIT);
        FileDigest wanted = digest(result);
        before[0] = 1;
        Files.write(base, before);
        assertThatThrownBy(() -> DeltaFile.restore(delta, base, target, wanted))
                .hasMessageContaining(
                        "its digest of the base is " + digest(base).getSha256());
        before[0] = 0;
        Files.write(base, Arrays.copyOf(before, 1_001));
        assertThatThrownBy(() -> DeltaFile.restore(delta, base, target, wanted))
                .hasMessageContaining("its digest of the base is ");
        Files.write(base, Arrays.copyOf(before, 999));
        assertThatThrownBy(() -> DeltaFile.restore(delta, base, target, wanted))
                .hasMessageContaining("the base is shorter");
        Files.write(base, before);
        FileDigest other = wanted.toBuilder().setSha256("00".repeat(32)).build();
        assertThatThrownBy(() -> DeltaFile.restore(delta, base, target, other))
                .hasMessageContainingAll("its digest of the result is " + wanted.getSha256(), "instead of 0000");
        assertThat(target).doesNotExist();
    }

    private boolean writes(byte[] before, byte[] after, long atMost) throws IOException {
        Files.deleteIfExists(delta);
        Files.write(base, before);
        Files.write(result, after);
        return DeltaFile.write(directory, digest(base), directory, digest(result), delta, atMost);
    }

    private FileDigest digest(Path file) throws IOException {
        return FileDigests.of(directory, file);
    }
}
