"""Types, schemas and documents of blocks, and where results are stored by default."""

from prefect.blocks.core import Block
from prefect.client.schemas.actions import BlockDocumentCreate, BlockDocumentUpdate, BlockSchemaCreate, BlockTypeCreate, BlockTypeUpdate
from pydantic import Field, SecretStr


class Access(Block):
    """Who may come in."""

    user: str
    password: SecretStr = Field(default=SecretStr("hidden"))


async def tell(api) -> None:
    block_type, schema = await types(api)
    await documents(api, block_type, schema)
    await result_storage(api)
    await api.delete_block_type(block_type.id)
    await api.delete_block_type(block_type.id)
    await api.read_block_type_by_slug(block_type.slug)


async def types(api):
    slug = api.name("access")
    block_type = await api.create_block_type(BlockTypeCreate(name=slug, slug=slug, description="Who may come in", code_example="Access(user='x')"))
    await api.create_block_type(BlockTypeCreate(name=slug, slug=slug))
    await api.create_block_type(BlockTypeCreate.model_construct(name="Bad", slug="Bad Slug"))
    await api.read_block_type_by_slug(slug)
    await api.read_block_type_by_slug(api.name("none"))
    await api.update_block_type(block_type.id, BlockTypeUpdate(description="Changed", documentation_url="https://example.com/docs"))
    await api.update_block_type(api.unknown(), BlockTypeUpdate(description="Changed"))
    await api.read_block_types()
    await api.get_most_recent_block_schema_for_block_type(block_type.id)
    # Schemas are known by what they contain.
    fields = {**Access.model_json_schema(), "title": slug}
    schema = await api.create_block_schema(BlockSchemaCreate(fields=fields, block_type_id=block_type.id, capabilities=["enter"], version="1.2.3"))
    await api.create_block_schema(BlockSchemaCreate(fields=fields, block_type_id=block_type.id, capabilities=["enter"], version="1.2.3"))
    await api.create_block_schema(BlockSchemaCreate(fields={"type": "object", "properties": {}}, block_type_id=api.unknown()))
    await api.read_block_schema_by_checksum(schema.checksum)
    await api.read_block_schema_by_checksum(schema.checksum, version="1.2.3")
    await api.read_block_schema_by_checksum(schema.checksum, version="9")
    await api.read_block_schema_by_checksum("sha256:none")
    await api.get_most_recent_block_schema_for_block_type(block_type.id)
    await api.get_most_recent_block_schema_for_block_type(api.unknown())
    await api.read_block_schemas()
    return block_type, schema


async def documents(api, block_type, schema) -> None:
    fields = {"block_schema_id": schema.id, "block_type_id": block_type.id}
    document = await api.create_block_document(BlockDocumentCreate(name="mine", data={"user": "a", "password": "hush"}, **fields))
    await api.create_block_document(BlockDocumentCreate(name="mine", data={"user": "b"}, **fields))
    await api.create_block_document(BlockDocumentCreate(name="concealed", data={"user": "b", "password": "hush"}, **fields), include_secrets=False)
    anonymous = await api.create_block_document(BlockDocumentCreate(is_anonymous=True, data={"user": "c"}, **fields))
    await api.create_block_document(BlockDocumentCreate.model_construct(name="Bad Name/", data={}, is_anonymous=False, **fields))
    await api.create_block_document(BlockDocumentCreate(name="lost", data={}, block_schema_id=api.unknown(), block_type_id=block_type.id))
    await api.read_block_document(document.id)
    await api.read_block_document(document.id, include_secrets=False)
    await api.read_block_document(api.unknown())
    await api.read_block_document_by_name("mine", block_type.slug)
    await api.read_block_document_by_name("mine", block_type.slug, include_secrets=False)
    await api.read_block_document_by_name("none", block_type.slug)
    await api.read_block_document_by_name("mine", api.name("none"))
    await api.read_block_documents_by_type(block_type.slug)
    await api.read_block_documents_by_type(block_type.slug, offset=1, limit=1, include_secrets=False)
    await api.read_block_documents_by_type(api.name("none"))
    await api.read_block_documents(block_schema_type=api.name("none"), offset=0, limit=5, include_secrets=False)
    await api.update_block_document(document.id, BlockDocumentUpdate(data={"user": "z"}))
    await api.read_block_document(document.id)
    await api.update_block_document(document.id, BlockDocumentUpdate(data={"password": "new"}, merge_existing_data=False))
    await api.read_block_document(document.id)
    await api.update_block_document(document.id, BlockDocumentUpdate(block_schema_id=api.unknown()))
    await api.update_block_document(api.unknown(), BlockDocumentUpdate(data={}))
    await api.delete_block_document(anonymous.id)
    await api.delete_block_document(anonymous.id)


async def result_storage(api) -> None:
    await api.read_server_default_result_storage()
    await api.update_server_default_result_storage(api.unknown())
    local = await api.quietly("read_block_type_by_slug", "local-file-system")
    schema = await api.quietly("get_most_recent_block_schema_for_block_type", local.id)
    await api.delete_block_type(local.id)
    document = await api.quietly("create_block_document", BlockDocumentCreate(name=api.name("results"), data={"basepath": "/results"}, block_schema_id=schema.id, block_type_id=local.id))
    await api.update_server_default_result_storage(document.id)
    await api.read_server_default_result_storage()
    await api.delete_block_document(document.id)
    await api.read_server_default_result_storage()
    await api.clear_server_default_result_storage()
    await api.read_server_default_result_storage()
