"""Django's PostgreSQL backend on the embedded server: the first connection starts it."""

from pathlib import Path

from django.db.backends.postgresql import base

from products.postgres import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self):
        cluster = embedded.join(Path(self.settings_dict["EMBEDDED_FOLDER"]))
        password = cluster.password_file.read_text(encoding="ascii").strip()
        self.settings_dict.update(HOST=str(cluster.sockets), USER=embedded.ACCOUNT, PASSWORD=password)
        return super().get_connection_params()
