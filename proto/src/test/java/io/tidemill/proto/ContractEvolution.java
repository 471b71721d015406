package io.tidemill.proto;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Compares the contract with the last release. A line per field or enum value: {@code owner number name type}; what a
 * release has said must be said unchanged by every later one, or both its number and its name must be reserved.
 */
final class ContractEvolution {
    private ContractEvolution() {}

    static List<String> describe(List<FileDescriptor> files) {
        TreeSet<String> lines = new TreeSet<>();
        for (FileDescriptor file : files) {
            file.getMessageTypes().forEach(message -> describe(message, lines));
            file.getEnumTypes().forEach(type -> describe(type, lines));
        }
        return List.copyOf(lines);
    }

    private static void describe(Descriptor message, Set<String> lines) {
        if (message.getOptions().getMapEntry()) {
            return;
        }
        for (FieldDescriptor field : message.getFields()) {
            lines.add(message.getFullName() + " " + field.getNumber() + " " + field.getName() + " " + type(field));
        }
        message.getNestedTypes().forEach(nested -> describe(nested, lines));
        message.getEnumTypes().forEach(nested -> describe(nested, lines));
    }

    private static void describe(EnumDescriptor type, Set<String> lines) {
        type.getValues()
                .forEach(value ->
                        lines.add(type.getFullName() + " " + value.getNumber() + " " + value.getName() + " value"));
    }

    private static String type(FieldDescriptor field) {
        if (field.isMapField()) {
            return "map<" + type(field.getMessageType().findFieldByNumber(1)) + ","
                    + type(field.getMessageType().findFieldByNumber(2)) + ">";
        }
        String type =
                switch (field.getJavaType()) {
                    case MESSAGE -> field.getMessageType().getFullName();
                    case ENUM -> field.getEnumType().getFullName();
                    default -> field.getType().name().toLowerCase(Locale.ROOT);
                };
        return field.isRepeated() ? "repeated:" + type : type;
    }

    /** What a reader of the last release would misunderstand; empty when nothing. */
    static List<String> breaks(List<String> released, List<FileDescriptor> files) {
        List<String> now = describe(files);
        Map<String, Descriptor> messages = new HashMap<>();
        Map<String, EnumDescriptor> enums = new HashMap<>();
        for (FileDescriptor file : files) {
            file.getMessageTypes().forEach(message -> collect(message, messages, enums));
            file.getEnumTypes().forEach(type -> enums.put(type.getFullName(), type));
        }
        List<String> breaks = new ArrayList<>();
        for (String line : released) {
            String[] words = line.split(" ", 4);
            int number = Integer.parseInt(words[1]);
            Descriptor message = messages.get(words[0]);
            EnumDescriptor type = enums.get(words[0]);
            boolean reserved = message != null && message.isReservedNumber(number) && message.isReservedName(words[2]);
            reserved |= type != null && type.isReservedNumber(number) && type.isReservedName(words[2]);
            if (!now.contains(line) && !reserved) {
                breaks.add("The last release said '" + line
                        + "'. It must stay, or both its number and its name must be reserved.");
            }
        }
        return breaks;
    }

    private static void collect(
            Descriptor message, Map<String, Descriptor> messages, Map<String, EnumDescriptor> enums) {
        messages.put(message.getFullName(), message);
        message.getEnumTypes().forEach(type -> enums.put(type.getFullName(), type));
        message.getNestedTypes().forEach(nested -> collect(nested, messages, enums));
    }
}
