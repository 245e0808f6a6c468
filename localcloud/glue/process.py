"""The process of a job run: PySpark on this machine, with s3:// addresses served from the object tree."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from localcloud.context import CloudContext
from localcloud.glue.java import java_home
from localcloud.s3 import ObjectTree

# Heap of the Spark process by worker type: what the worker is on AWS, scaled to a developer's machine.
HEAP = {"G.025X": "1g", "G.1X": "3g", "G.2X": "5g", "G.4X": "8g", "G.8X": "12g"}
DEFAULT_HEAP = "3g"
# With less than this in S3 no job runs long enough to win back what the JVM's second compiler costs: on two
# busy cores a small job took 18 s without it and 38 s with it.
SMALL_DATA_BYTES = 100 * 1024 * 1024
# The awsglue package that AWS puts on a job's path.
RUNTIME = Path(__file__).parent / "runtime"
# Hadoop 3.3 mounts any scheme on local folders; so no S3 connector (none is on PyPI) and no copy is needed.
MOUNTED = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
# Without checksum files beside the data, which would appear as objects.
RAW_LOCAL = "org.apache.hadoop.fs.RawLocalFileSystem"
QUIET_LOGS = """rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"""


@dataclass(frozen=True)
class JobProcess:
    """What a job's process is started with; files lie in `folder`, which takes stdout and stderr too."""

    script: Path
    arguments: list[str]
    libraries: list[Path]
    folder: Path
    worker_type: str | None
    region: str

    def start(self, context: CloudContext, tree: ObjectTree) -> subprocess.Popen[bytes]:
        """Start the script in a process group of its own. Raises RuntimeError when there is no Java."""
        settings = spark_settings(tree, HEAP.get(self.worker_type or "", DEFAULT_HEAP), self.folder)
        lines = [f"{name} {value}" for name, value in settings.items()]
        (self.folder / "spark-defaults.conf").write_text("\n".join(lines), encoding="utf-8")
        (self.folder / "log4j2.properties").write_text(QUIET_LOGS, encoding="utf-8")
        environment = {
            **os.environ,
            **context.client_environment(self.region),
            "JAVA_HOME": java_home(),
            "SPARK_CONF_DIR": str(self.folder),
            "SPARK_LOCAL_DIRS": str(self.folder / "spark"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": os.pathsep.join(str(path) for path in [*self.libraries, RUNTIME]),
            "GLUE_VERSION": "5.0",
        }
        with (self.folder / "stdout").open("wb") as output, (self.folder / "stderr").open("wb") as errors:
            return subprocess.Popen(  # noqa: S603 - running the user's script is what a job run is
                [sys.executable, "-u", str(self.script), *self.arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )


def spark_settings(tree: ObjectTree, heap: str, folder: Path) -> dict[str, str]:
    """Return the Spark settings under which each bucket's s3:// addresses are its folder in the tree."""
    cores = os.cpu_count() or 1
    compilers = " -XX:TieredStopAtLevel=1" if tree.total_bytes() < SMALL_DATA_BYTES else ""
    settings = {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": heap,
        "spark.driver.maxResultSize": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # Spark's default of 200 suits a cluster; a few a core keep both memory and overhead low.
        "spark.sql.shuffle.partitions": str(4 * cores),
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.extraJavaOptions": f"-XX:+UseParallelGC -Duser.timezone=UTC{compilers}",
        "spark.hadoop.fs.file.impl": RAW_LOCAL,
        "spark.hadoop.fs.viewfs.overload.scheme.target.file.impl": RAW_LOCAL,
    }
    for scheme in ("s3", "s3a", "s3n"):
        settings[f"spark.hadoop.fs.{scheme}.impl"] = MOUNTED
    for bucket in tree.bucket_names():
        address = tree.bucket_path(bucket).as_uri()
        settings[f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"] = address
    return settings
