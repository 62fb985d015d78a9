"""Partners' own tools against upload URLs. Each client is told nothing of Sluice but the URL; each upload must become a completed run
whose receipt names the file's BLAKE3."""

import os
import shutil
import urllib.parse

from azure.storage.blob import BlobBlock, BlobClient, ContainerClient

from stack import CONTAINER, run


def az_file_grant(stack, file):
    run("az", "storage", "blob", "upload", "--blob-url", stack.grant("flights/az-file.csv"), "--file", file, "--no-progress")
    stack.expect("flights/az-file.csv", file)


def az_container_grant(stack, file):
    url = urllib.parse.urlsplit(stack.grant("--container"))
    endpoint = f"{url.scheme}://{url.netloc}{url.path.rsplit('/', 1)[0]}"
    command = ["az", "storage", "blob", "upload", "--blob-endpoint", endpoint, "--sas-token", url.query, "--no-progress"]
    run(*command, "--container-name", CONTAINER, "--name", "flights/az-container.csv", "--file", file)
    stack.expect("flights/az-container.csv", file)


def az_in_blocks(stack, file):
    """Over az's single-shot limit (64 MiB), as it sends large files."""
    large = file.with_name("large.csv")
    header, body = file.read_bytes().split(b"\n", 1)
    with large.open("wb") as out:
        out.write(header + b"\n")
        # The primary key begins with year and month: each copy gets its own.
        for year in range(1987, 2016):
            out.writelines(b"%d%s" % (year, line[4:]) for line in body.splitlines(keepends=True))
    run("az", "storage", "blob", "upload", "--blob-url", stack.grant("flights/az-large.csv"), "--file", large, "--no-progress")
    stack.expect("flights/az-large.csv", large)


def python_single_shot(stack, file):
    BlobClient.from_blob_url(stack.grant("flights/python-file.csv")).upload_blob(file.read_bytes())
    stack.expect("flights/python-file.csv", file)


def python_in_blocks(stack, file):
    client = BlobClient.from_blob_url(stack.grant("flights/python-blocks.csv"))
    content, blocks = file.read_bytes(), []
    for start in range(0, len(content), 500_000):
        blocks.append(BlobBlock(block_id=f"{start:08}"))
        client.stage_block(blocks[-1].id, content[start : start + 500_000])
    client.commit_block_list(blocks)
    stack.expect("flights/python-blocks.csv", file)


def python_container(stack, file):
    container = ContainerClient.from_container_url(stack.grant("--container"), max_single_put_size=1 << 20, max_block_size=1 << 20)
    container.upload_blob("flights/python-container.csv", file.read_bytes(), overwrite=True)
    stack.expect("flights/python-container.csv", file)


def curl(stack, file):
    run("curl", "--fail", "--silent", "--show-error", "-T", file, "-H", "x-ms-blob-type: BlockBlob", stack.grant("flights/curl.csv"))
    stack.expect("flights/curl.csv", file)


def rclone(stack, file):
    """A nightly job: the second night finds the file unchanged and sends nothing."""
    remote = f":azureblob,sas_url='{stack.grant('--container', '--read-back')}':{CONTAINER}/flights"
    outbox = file.parent / "outbox"
    outbox.mkdir()
    shutil.copy(file, outbox / "rclone.csv")
    for _ in range(2):
        run("rclone", "copy", "--config", os.devnull, outbox, remote)
        stack.expect("flights/rclone.csv", file)


def rclone_in_blocks(stack, file):
    remote = f":azureblob,sas_url='{stack.grant('--container', '--read-back')}':{CONTAINER}/flights/rclone-blocks.csv"
    run("rclone", "copyto", "--config", os.devnull, "--azureblob-chunk-size", "1M", "--azureblob-upload-cutoff", "1M", file, remote)
    stack.expect("flights/rclone-blocks.csv", file)


TESTS = [az_file_grant, az_container_grant, az_in_blocks, python_single_shot, python_in_blocks, python_container, curl, rclone, rclone_in_blocks]
