package io.tidemill.trainer.service;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.trainer.round.Trainer;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.Response.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.resteasy.reactive.PathPart;

/** Versions and their public files, and the state of the loop. */
@Path("/v1")
public class CheckpointsResource {
    private static final JsonFormat.Printer PRINTER = JsonFormat.printer().alwaysPrintFieldsWithNoPresence();

    private final Trainers trainers;

    CheckpointsResource(Trainers trainers) {
        this.trainers = trainers;
    }

    /** The newest event of each version of a model, newest first. */
    @GET
    @Path("/checkpoints")
    @Produces(MediaType.APPLICATION_JSON)
    public Response checkpoints(@QueryParam("model") String model) {
        return of(model, trainer -> Response.ok(checkpoints(trainer)).build());
    }

    /** Asks the trainer of a model; the first where none is named. */
    private Response of(String model, Function<Trainer, Response> answer) {
        return (model == null ? Optional.of(trainers.first()) : trainers.of(model))
                .map(answer)
                .orElseGet(() -> problem(Status.NOT_FOUND, "No model " + model + " is trained here."));
    }

    private static String checkpoints(Trainer trainer) {
        Map<String, CheckpointEvent> newest = new LinkedHashMap<>();
        for (CheckpointEvent event : trainer.status().events()) {
            newest.remove(event.getVersion());
            newest.put(event.getVersion(), event);
        }
        List<CheckpointEvent> events = new ArrayList<>(newest.values());
        Collections.reverse(events);
        return events.stream().map(CheckpointsResource::json).collect(Collectors.joining(",", "[", "]"));
    }

    /** The newest event of one version. */
    @GET
    @Path("/checkpoints/{version}")
    @Produces(MediaType.APPLICATION_JSON)
    public Response checkpoint(@PathParam("version") String version) {
        return trainers.event(version)
                .map(event -> Response.ok(json(event)).build())
                .orElseGet(() -> problem(
                        Status.NOT_FOUND, "No version " + version + " of a model that is trained here is known."));
    }

    /** A public file, or a part of it where a range is asked for. */
    @GET
    @Path("/checkpoints/{version}/files/{path:.+}")
    public Response file(
            @PathParam("version") String version,
            @PathParam("path") String path,
            @HeaderParam("Range") String range,
            @HeaderParam(HttpHeaders.IF_NONE_MATCH) String known)
            throws IOException {
        Optional<FileDigest> listed = trainers.event(version).flatMap(event -> listed(event, path));
        if (listed.isEmpty()) {
            return problem(Status.NOT_FOUND, "Version " + version + " has no public file '" + path + "'.");
        }
        Optional<java.nio.file.Path> file =
                trainers.trainer(version).orElseThrow().publicFile(VersionId.parse(version), path);
        if (file.isEmpty()) {
            return problem(
                    Status.GONE,
                    "File " + path + " of " + version + " was removed to save space (trainer.store.keep).");
        }
        String tag = "\"" + listed.get().getSha256() + "\"";
        if (tag.equals(known)) {
            return Response.notModified().header(HttpHeaders.ETAG, tag).build();
        }
        return body(file.get(), range)
                .header(HttpHeaders.ETAG, tag)
                .header("Accept-Ranges", "bytes")
                .type(mediaType(path))
                .build();
    }

    private static Optional<FileDigest> listed(CheckpointEvent event, String path) {
        return Stream.concat(
                        event.getFilesList().stream(),
                        event.getDeltasList().stream().map(FileDelta::getDelta))
                .filter(file -> file.getPath().equals(path))
                .findFirst();
    }

    private static Response.ResponseBuilder body(java.nio.file.Path file, String range) throws IOException {
        long length = Files.size(file);
        Optional<ByteRange> part = ByteRange.parse(range, length);
        if (part.isEmpty()) {
            return Response.ok(file);
        }
        if (!part.get().satisfiable(length)) {
            return Response.status(Status.REQUESTED_RANGE_NOT_SATISFIABLE).header("Content-Range", "bytes */" + length);
        }
        ByteRange bytes = part.get();
        return Response.status(Status.PARTIAL_CONTENT)
                .entity(new PathPart(file, bytes.first(), bytes.length()))
                .header("Content-Range", "bytes " + bytes.first() + "-" + bytes.last() + "/" + length);
    }

    private static String mediaType(String path) {
        if (path.endsWith(".json")) {
            return MediaType.APPLICATION_JSON;
        }
        return path.endsWith(".md") ? "text/markdown;charset=UTF-8" : MediaType.APPLICATION_OCTET_STREAM;
    }

    /** The newest state of the loop. */
    @GET
    @Path("/rounds")
    @Produces(MediaType.APPLICATION_JSON)
    public Response rounds(@QueryParam("model") String model) {
        return of(model, trainer -> Response.ok(json(trainer.status().round())).build());
    }

    private static Response problem(Status status, String detail) {
        return Response.status(status)
                .type("application/problem+json")
                .entity(Map.of("status", status.getStatusCode(), "title", status.getReasonPhrase(), "detail", detail))
                .build();
    }

    private static String json(MessageOrBuilder message) {
        try {
            return PRINTER.print(message);
        } catch (InvalidProtocolBufferException impossible) {
            throw new IllegalStateException(impossible); // only for Any of an unknown type
        }
    }
}
