package io.tidemill.proto;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.TokenSequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The contract of the last release is {@code src/test/resources/last-release.contract}. A release writes it anew:
 * {@code mvn -pl proto test -Dtest=ContractEvolutionTest -Dtidemill.release=true}.
 */
class ContractEvolutionTest {
    private static final Path LAST_RELEASE = Path.of("src/test/resources/last-release.contract");
    private static final List<FileDescriptor> CONTRACT = List.of(
            Document.getDescriptor().getFile(),
            Completion.getDescriptor().getFile(),
            TokenSequence.getDescriptor().getFile());

    @Test
    void whatTheLastReleaseSaidIsStillSaid() throws IOException {
        if (Boolean.getBoolean("tidemill.release")) {
            Files.write(LAST_RELEASE, ContractEvolution.describe(CONTRACT));
        }
        List<String> released = Files.readAllLines(LAST_RELEASE);
        assertThat(released).hasSizeGreaterThan(100);
        assertThat(ContractEvolution.breaks(released, CONTRACT)).isEmpty();
    }

    @Test
    void aFieldMayBeAdded() throws DescriptorValidationException {
        List<String> released =
                ContractEvolution.describe(files(message(field("text", 1, FieldDescriptorProto.Type.TYPE_STRING))));
        assertThat(ContractEvolution.breaks(
                        released,
                        files(message(
                                field("text", 1, FieldDescriptorProto.Type.TYPE_STRING),
                                field("more", 2, FieldDescriptorProto.Type.TYPE_INT32)))))
                .isEmpty();
    }

    @Test
    void aRenumberedRemovedRetypedOrRenamedFieldIsABreak() throws DescriptorValidationException {
        List<String> released =
                ContractEvolution.describe(files(message(field("text", 1, FieldDescriptorProto.Type.TYPE_STRING))));
        for (DescriptorProto.Builder changed : List.of(
                message(field("text", 2, FieldDescriptorProto.Type.TYPE_STRING)),
                message(),
                message(field("text", 1, FieldDescriptorProto.Type.TYPE_BYTES)),
                message(field("words", 1, FieldDescriptorProto.Type.TYPE_STRING)))) {
            assertThat(ContractEvolution.breaks(released, files(changed)))
                    .as(changed.toString())
                    .singleElement()
                    .asString()
                    .contains("t.Thing 1 text string");
        }
    }

    @Test
    void aRemovedFieldIsNoBreakOnceItsNumberAndNameAreReserved() throws DescriptorValidationException {
        List<String> released =
                ContractEvolution.describe(files(message(field("text", 1, FieldDescriptorProto.Type.TYPE_STRING))));
        DescriptorProto.Builder number = message()
                .addReservedRange(
                        DescriptorProto.ReservedRange.newBuilder().setStart(1).setEnd(2));
        assertThat(ContractEvolution.breaks(released, files(number.clone()))).hasSize(1);
        assertThat(ContractEvolution.breaks(released, files(number.addReservedName("text"))))
                .isEmpty();
    }

    private static DescriptorProto.Builder message(FieldDescriptorProto.Builder... fields) {
        DescriptorProto.Builder message = DescriptorProto.newBuilder().setName("Thing");
        for (FieldDescriptorProto.Builder field : fields) {
            message.addField(field);
        }
        return message;
    }

    private static FieldDescriptorProto.Builder field(String name, int number, FieldDescriptorProto.Type type) {
        return FieldDescriptorProto.newBuilder()
                .setName(name)
                .setNumber(number)
                .setType(type)
                .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL);
    }

    private static List<FileDescriptor> files(DescriptorProto.Builder message) throws DescriptorValidationException {
        FileDescriptorProto file = FileDescriptorProto.newBuilder()
                .setName("thing.proto")
                .setPackage("t")
                .setSyntax("proto3")
                .addMessageType(message)
                .build();
        return List.of(FileDescriptor.buildFrom(file, new FileDescriptor[0]));
    }
}
